// Where an object stands in the order in which kubectl applies a bundle, and the name of its file.
import { failure } from '../base/errors.ts';
import { describeObject, type KubeObject } from '../base/objects.ts';
import { type IndexedRelease, remoteSecretOrder } from '../render/types.ts';

/** Folders of a cluster's manifests in the order of installation; the last one is applied only to remove the routes. */
export const phases = [
  '00-namespaces',
  '10-crds',
  '20-rbac',
  '30-config',
  '40-workloads',
  '50-jobs',
  '55-validation',
  '60-mesh',
  '70-gateways',
  '80-routing',
  '90-removal',
] as const;

export type Phase = (typeof phases)[number];

const phaseOfKind: Readonly<Record<string, Phase>> = {
  CustomResourceDefinition: '10-crds',
  ServiceAccount: '20-rbac',
  ClusterRole: '20-rbac',
  ClusterRoleBinding: '20-rbac',
  Role: '20-rbac',
  RoleBinding: '20-rbac',
  DaemonSet: '40-workloads',
  Deployment: '40-workloads',
  StatefulSet: '40-workloads',
  Job: '50-jobs',
  ValidatingWebhookConfiguration: '55-validation',
};

const gateways: ReadonlySet<string> = new Set(['eastwest-gateway', 'ambient-gateway']);
/** Kinds of Istio itself, by the group that stands before the slash of an apiVersion. */
const istioGroup = /^[a-z]+\.istio\.io\//;

/** Kinds of the charts that live in no namespace. */
const clusterWide: ReadonlySet<string> = new Set([
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'IPPool',
  'MutatingWebhookConfiguration',
  'Namespace',
  'ValidatingWebhookConfiguration',
]);

/**
 * The phase of one object. What joins a cluster to the mesh comes last, when the routes are there: sidecars would find no control plane before.
 * Secrets that ask for a token come after the phase of their accounts: Kubernetes deletes one whose account is not there.
 * Gateways come when there is an istiod that injects their pods: in a remote it must know the cluster for that, by the remote secret.
 * Objects of Istio's kinds stand apart, because a cluster without Istio's definitions cannot even be asked for them.
 * @param release the release that it is of
 */
export function phaseOf(object: KubeObject, { chart, order }: Pick<IndexedRelease, 'chart' | 'order'>): Phase {
  if (istioGroup.test(object.apiVersion)) return '80-routing';
  const phase = phaseOfKind[object.kind] ?? '30-config';
  if (phase === '10-crds' || phase === '20-rbac') return phase;
  if (gateways.has(chart) || order >= remoteSecretOrder) return '70-gateways';
  return chart === 'istio-remote' || chart === 'istio-remote-classic' ? '60-mesh' : phase;
}

/**
 * The object as helm would have stored it: with the labels and annotations by which a later `helm upgrade --install` knows it as its own.
 * @throws IsthmusError when it says neither its namespace nor is known to need none
 */
export function asHelms(object: KubeObject, release: Pick<IndexedRelease, 'name' | 'namespace' | 'cluster'>): KubeObject {
  if (object.metadata.namespace === undefined && !clusterWide.has(object.kind))
    throw failure(`${describeObject(object)} names no namespace, so kubectl would put it into that of the context`, {
      where: `${release.cluster}/${release.name}`,
    });
  const { labels, annotations, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: {
      ...metadata,
      labels: { ...labels, 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: { ...annotations, 'meta.helm.sh/release-name': release.name, 'meta.helm.sh/release-namespace': release.namespace },
    },
  };
}

/** `service-istio-system-istiod.yaml`: names of objects may hold what a file's should not, such as colons. */
export function manifestName({ kind, metadata }: KubeObject): string {
  const parts = [kind, ...(metadata.namespace === undefined ? [] : [metadata.namespace]), metadata.name];
  return `${parts
    .join('-')
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, '-')}.yaml`;
}
