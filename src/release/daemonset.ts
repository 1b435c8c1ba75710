// A DaemonSet node by node: helm counts it ready when some nodes are missing, and waits for ever for dead ones.
import { describeObject, type KubeObject } from '../base/objects.ts';
import type { ClusterReader } from '../system/types.ts';
import type { Place } from './job.ts';
import type { NodeState } from './nodes.ts';
import { readPods, reasonOf } from './pods.ts';
import { DaemonSet, isTrue, type Pod, type ReadState, Revision } from './workload-types.ts';

const revisionLabel = 'controller-revision-hash';
/** Reasons are looked up for so many nodes only; the rest are named. */
const mostReasons = 3;

export async function daemonSetState(workload: KubeObject, { client, namespace, nodes }: Place): Promise<ReadState> {
  const name = describeObject(workload);
  const path = `/apis/apps/v1/namespaces/${namespace}/daemonsets/${workload.metadata.name}`;
  const found = DaemonSet.safeParse(await client.get(path));
  if (!found.success) return { name, ready: 0, wanted: nodes.size, missing: [`${name} is not there yet`], pending: [] };
  const { metadata, spec, status } = found.data;
  const wanted = [...nodes.values()].filter(({ labels }) => hasLabels(labels, spec.template.spec.nodeSelector));
  const waiting = wanted.filter(({ ready }) => ready);
  const pending = wanted.filter(({ ready }) => !ready).map((node) => node.name);
  if (status.observedGeneration < metadata.generation)
    return { name, ready: 0, wanted: waiting.length, missing: [`${name} is not rolled out yet`], pending };
  const revision = await newestRevision(client, namespace, { uid: metadata.uid, labels: spec.selector.matchLabels });
  const pods = (await readPods(client, namespace, spec.selector.matchLabels)).filter((pod) => isCurrent(pod, revision));
  const missing = waiting.filter((node) => !pods.some((pod) => pod.spec.nodeName === node.name && isTrue(pod.status.conditions, 'Ready')));
  const reasons = await Promise.all(
    missing.map((node, index) => describeNode(node, pods, index < mostReasons ? { client, namespace } : undefined)),
  );
  return { name, ready: waiting.length - missing.length, wanted: waiting.length, missing: reasons, pending };
}

/** Pods of an older revision still have the older routes; with OnDelete or no revision at all every pod counts. */
function isCurrent(pod: Pod, revision: string | undefined): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  return revision === undefined || pod.metadata.labels[revisionLabel] === revision;
}

async function newestRevision(
  client: ClusterReader,
  namespace: string,
  owner: { readonly uid: string; readonly labels: Readonly<Record<string, string>> },
): Promise<string | undefined> {
  const labelSelector = Object.entries(owner.labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const path = `/apis/apps/v1/namespaces/${namespace}/controllerrevisions`;
  const revisions = (await client.collect(path, (object) => Revision.parse(object), { labelSelector })) ?? [];
  const own = revisions.filter(({ metadata }) => metadata.ownerReferences.some(({ uid }) => uid === owner.uid));
  return own.sort((a, b) => a.revision - b.revision).at(-1)?.metadata.labels[revisionLabel];
}

async function describeNode(node: NodeState, pods: readonly Pod[], ask?: Pick<Place, 'client' | 'namespace'>): Promise<string> {
  const pod = pods.find(({ spec }) => spec.nodeName === node.name);
  if (pod === undefined) return `node ${node.name} (no pod yet)`;
  return ask === undefined ? `node ${node.name}` : `node ${node.name} (${await reasonOf(pod, ask.client, ask.namespace)})`;
}

function hasLabels(actual: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => actual[key] === value);
}
