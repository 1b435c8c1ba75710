// One revision of Istio's control plane, from its Deployment, its Service and its ConfigMaps.
import * as z from 'zod';
import { istioNames } from '../base/names.ts';
import { sortedRecord } from './lists.ts';
import { Container, Metadata } from './objects.ts';
import type { IstioFacts } from './schema.ts';

type Revision = IstioFacts['revisions'][number];

const Labels = z.record(z.string(), z.string());

export const Deployment = z.object({
  metadata: Metadata.extend({ ownerReferences: z.array(z.object({ kind: z.string(), name: z.string() })).nullish() }),
  spec: z.object({
    selector: z.object({ matchLabels: Labels.nullish() }).nullish(),
    template: z.object({
      metadata: z.object({ labels: Labels.nullish() }).nullish(),
      spec: z.object({ containers: z.array(Container) }),
    }),
  }),
  status: z.object({ readyReplicas: z.int().nullish() }).nullish(),
});
export type Deployment = z.infer<typeof Deployment>;

export const Service = z.object({
  metadata: Metadata,
  spec: z.object({ selector: Labels.nullish(), ports: z.array(z.object({ port: z.int() })).nullish() }),
});
export type Service = z.infer<typeof Service>;

/** Environment of istiod that says how it serves other clusters. Everything else stays out of facts files. */
const wantedEnv: ReadonlySet<string> = new Set([
  'AMBIENT_ENABLE_MULTI_NETWORK',
  'CLUSTER_ID',
  'EXTERNAL_ISTIOD',
  'INJECTION_WEBHOOK_CONFIG_NAME',
  'LOCAL_CLUSTER_SECRET_WATCHER',
  'PILOT_CERT_PROVIDER',
  'PILOT_ENABLE_AMBIENT',
  'PILOT_MULTICLUSTER_KUBECONFIG_PATH',
  'REVISION',
  'SHARED_MESH_CONFIG',
  'VALIDATION_WEBHOOK_CONFIG_NAME',
]);

/** Port on which pilot serves proxies: 15012 of istiod, 15010 or 15003 of pilot before 1.5. */
const discoveryPorts: ReadonlySet<number> = new Set([15012, 15010, 15003]);

/** True for istiod (label app=istiod) and for pilot before Istio 1.5 (Deployment istio-pilot). */
export function isControlPlane(deployment: Deployment): boolean {
  return deployment.metadata.labels['app'] === 'istiod' || deployment.metadata.name === 'istio-pilot';
}

/** Revision of a Deployment; the default one is empty. */
export function revisionName({ metadata, spec }: Deployment): string {
  const name = metadata.labels[istioNames.revisionLabel] ?? spec.template.metadata?.labels?.[istioNames.revisionLabel] ?? '';
  return name === 'default' ? '' : name;
}

/** The revision without what its ConfigMaps say. */
export function describeRevision(deployment: Deployment, services: readonly Service[]): Revision {
  const { containers } = deployment.spec.template.spec;
  const container = containers.find(({ name }) => name === 'discovery') ?? containers[0];
  const env = (container?.env ?? []).flatMap(({ name, value }): [string, string][] =>
    wantedEnv.has(name) && value !== undefined ? [[name, value]] : [],
  );
  const version = versionOf(container, deployment.metadata.labels);
  const hub = hubOf(container);
  const chart = deployment.metadata.labels['helm.sh/chart'];
  const managedBy = managedByOf(deployment);
  return {
    name: revisionName(deployment),
    ...(version === undefined ? {} : { version }),
    ...(hub === undefined ? {} : { hub }),
    selector: sortedRecord(selectorOf(deployment, services)),
    readyPods: deployment.status?.readyReplicas ?? 0,
    env: sortedRecord(Object.fromEntries(env)),
    ...(chart === undefined ? {} : { chart }),
    ...(managedBy === undefined ? {} : { managedBy }),
  };
}

function versionOf(container: Container | undefined, labels: Readonly<Record<string, string>>): string | undefined {
  const tag = /:v?(\d+\.\d+\.\d+(?:-(?:alpha|beta|rc|snapshot)\.\d+)?)[^/@]*(?:@.*)?$/.exec(container?.image ?? '')?.[1];
  const labelled = labels['app.kubernetes.io/version'] ?? labels['operator.istio.io/version'];
  return tag ?? /^v?(\d+\.\d+\.\d+)/.exec(labelled ?? '')?.[1];
}

/** The image of istiod is `<hub>/pilot`, with a tag, a digest or both; anything else is an image that somebody made for himself. */
function hubOf(container: Container | undefined): string | undefined {
  return /^(.+)\/pilot(?:[:@][^/]+)?$/.exec(container?.image ?? '')?.[1];
}

/** Selector of the Service in front of these pods; revision tags have Services too, so the one named like the Deployment counts. */
function selectorOf({ metadata, spec }: Deployment, services: readonly Service[]): Readonly<Record<string, string>> {
  const labels = new Map(Object.entries(spec.template.metadata?.labels ?? {}));
  const inFront = services.filter((service) => {
    const selector = Object.entries(service.spec.selector ?? {});
    const serves = service.spec.ports?.some(({ port }) => discoveryPorts.has(port)) ?? false;
    return serves && selector.length > 0 && selector.every(([key, value]) => labels.get(key) === value);
  });
  const service = inFront.find((candidate) => candidate.metadata.name === metadata.name) ?? inFront[0];
  return service?.spec.selector ?? spec.selector?.matchLabels ?? {};
}

function managedByOf({ metadata }: Deployment): string | undefined {
  const release = metadata.annotations['meta.helm.sh/release-name'];
  const owner = metadata.ownerReferences?.find(({ kind }) => kind === 'IstioRevision');
  if (owner !== undefined) return `Sail operator, IstioRevision ${owner.name}`;
  const resource = metadata.labels['install.operator.istio.io/owning-resource'];
  if (resource === 'unknown') return 'istioctl';
  if (release !== undefined) return `Helm release ${release}`;
  return resource === undefined ? undefined : `operator, IstioOperator ${resource}`;
}
