// What istiod itself wrote into a remote while it served it: it takes none of that back when it stops.
import * as z from 'zod';
import { messageOf, statusOf } from '../base/errors.ts';
import { istioNames } from '../base/names.ts';
import type { KubeObject } from '../base/objects.ts';
import type { ClusterReader } from '../system/types.ts';
import { readNamespace } from './namespaces.ts';
import type { Run } from './open-run.ts';
import { secretPath } from './remote-secret.ts';
import type { StepOutcome } from './run.ts';
import type { Session } from './session.ts';

/** ConfigMaps that istiod's namespace controller keeps in every namespace of the clusters it serves. */
const published: ReadonlySet<string> = new Set([istioNames.rootCertConfigMap, 'istio-ca-crl']);
const publishedLabel = 'istio.io/config=true';

/** Kubernetes' annotation of a ConfigMap by which replicas of a controller choose one of them. */
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';

const Holder = z.object({ holderIdentity: z.string().nullish() });

/**
 * Deletes the root certificates that istiod published in every namespace of a remote, and the records of its elections.
 * They stay while any control plane still serves the cluster, or may: it would write them again.
 */
export async function removeIstiodObjects(run: Run, session: Session): Promise<StepOutcome> {
  try {
    const objects = await istiodObjects(run, session);
    if (objects.length === 0) return { outcome: 'absent' };
    const server = await controlPlaneLeft(run, session);
    if (server !== undefined) return { outcome: 'absent', message: `${objects.length} objects stay, because of ${server}` };
    const guarded = run.gate.guard(session.client);
    for (const { path, object } of objects)
      await guarded.delete(
        `${path(object.metadata.namespace ?? '')}/${object.metadata.name}`,
        object.metadata.uid === undefined ? {} : { uid: object.metadata.uid },
      );
    return { outcome: 'removed' };
  } catch (error) {
    // Whoever may only touch Istio's own namespaces still gets everything of isthmus removed.
    if (statusOf(error) !== 403) throw error;
    return { outcome: 'absent', message: `objects of istiod stay in the namespaces: ${messageOf(error)}` };
  }
}

interface FoundObject {
  readonly path: (namespace: string) => string;
  readonly object: KubeObject;
}

const configMaps = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;
const leases = (namespace: string) => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;

async function istiodObjects({ generated }: Run, { client }: Session): Promise<readonly FoundObject[]> {
  const { namespace } = generated.index.istio;
  const [everywhere, own, elections] = await Promise.all([
    client.list('/api/v1/configmaps', { labelSelector: publishedLabel, metadataOnly: true }),
    client.list(configMaps(namespace), { metadataOnly: true }),
    client.list(leases(namespace)),
  ]);
  const elected = (own ?? []).filter(
    ({ metadata }) => metadata.name.startsWith('istio-') && metadata.annotations?.[leaderAnnotation] !== undefined,
  );
  return [
    ...[...(everywhere ?? []).filter(({ metadata }) => published.has(metadata.name)), ...elected].map((object) => ({
      path: configMaps,
      object,
    })),
    ...(elections ?? []).filter(isIstiods).map((object) => ({ path: leases, object })),
  ];
}

/** istiod elects by ConfigMaps across its revisions, and by Leases within one. */
function isIstiods({ metadata, spec }: KubeObject): boolean {
  const holder = Holder.safeParse(spec).data?.holderIdentity ?? '';
  return metadata.name.startsWith('istio-') && (holder === '' || holder.startsWith('istiod'));
}

/** A control plane that serves the cluster, or could: in words; undefined when there is none. */
async function controlPlaneLeft({ generated, sessions }: Run, { client, spec }: Session): Promise<string | undefined> {
  for (const { remote, primary, namespace, name } of generated.index.remoteSecrets) {
    if (remote !== spec.name) continue;
    const session = sessions.get(primary);
    if (session === undefined) return `${primary}, which cannot be reached`;
    if ((await session.client.get(secretPath(namespace, name))) !== undefined) return `Secret ${namespace}/${name} in ${primary}`;
  }
  const own = (await readNamespace(client, generated.index.istio.namespace))?.metadata;
  const others = (own?.annotations?.[istioNames.controlPlaneClusters] ?? '').split(',').filter((name) => !isPlanned(spec, name));
  if (others.length > 0) return `the control plane of ${others.join(', ')}`;
  return controlPlaneInside(client);
}

async function controlPlaneInside(client: ClusterReader): Promise<string | undefined> {
  const [deployments, webhooks] = await Promise.all([
    client.list('/apis/apps/v1/deployments', { labelSelector: 'app=istiod', metadataOnly: true }),
    client.list('/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', {
      labelSelector: 'app=sidecar-injector',
      metadataOnly: true,
    }),
  ]);
  const [deployment] = deployments ?? [];
  if (deployment !== undefined) return `Deployment ${deployment.metadata.namespace}/${deployment.metadata.name}`;
  const [webhook] = webhooks ?? [];
  return webhook === undefined ? undefined : `MutatingWebhookConfiguration ${webhook.metadata.name}`;
}

/** Whether isthmus put this cluster's name into the annotation; our part of it is taken away later. */
function isPlanned(spec: Session['spec'], name: string): boolean {
  return spec.namespaces.some(({ annotations }) => annotations[istioNames.controlPlaneClusters]?.split(',').includes(name)) || name === '';
}
