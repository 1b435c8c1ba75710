// Waits until what a release installed really works: per node, with the reason when it does not.
import { failure } from '../base/errors.ts';
import { describeObject, type KubeObject } from '../base/objects.ts';
import type { Clock, ClusterReader } from '../system/types.ts';
import { daemonSetState } from './daemonset.ts';
import { eventsOf } from './events.ts';
import { gatewayState, isGateway } from './gateway-state.ts';
import { jobState } from './job.ts';
import { readNodes } from './nodes.ts';
import { readPods, waitingReason } from './pods.ts';
import { Deployment, type ReadState } from './workload-types.ts';

const pollMs = 2_000;
const workloadKinds: ReadonlySet<string> = new Set(['Job', 'DaemonSet', 'Deployment']);

export interface WaitOptions {
  readonly client: ClusterReader;
  readonly namespace: string;
  /** Nodes that must have the routes; those that are not Ready are listed and not waited for. Empty for all. */
  readonly nodes: readonly string[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly onProgress: (text: string) => void;
}

/**
 * Waits for the Jobs, DaemonSets, Deployments and Gateways of the Gateway API among `objects`.
 * @returns what is ready and which nodes are pending, in one line; empty when there was nothing to wait for
 * @throws IsthmusError as soon as a Job has failed for good, or when the time is over, with what was seen last
 */
export async function waitUntilReady(objects: readonly KubeObject[], options: WaitOptions): Promise<string> {
  const { clock, signal, timeoutMs, onProgress, client, namespace } = options;
  const workloads = objects.filter((object) => workloadKinds.has(object.kind) || isGateway(object));
  if (workloads.length === 0) return '';
  const end = clock.now().getTime() + timeoutMs;
  let shown = '';
  for (;;) {
    const states = await readStates(workloads, options);
    const failed = states.find(({ failed }) => failed !== undefined);
    if (failed?.failed !== undefined) throw failure(failed.failed, { where: client.cluster });
    const text = summary(states);
    if (states.every(({ missing }) => missing.length === 0)) return text;
    if (text !== shown) onProgress(text);
    shown = text;
    if (signal.aborted)
      throw failure('stopped while waiting', { where: client.cluster, hint: 'Run install again; it goes on where it stopped.' });
    if (clock.now().getTime() >= end) throw await notReady(states, { client, namespace, timeoutMs });
    await clock.sleep(pollMs, signal);
  }
}

async function readStates(workloads: readonly KubeObject[], options: WaitOptions): Promise<readonly ReadState[]> {
  const nodes = await readNodes(options.client, options.nodes);
  return Promise.all(
    workloads.map((workload) => {
      const place = { client: options.client, namespace: workload.metadata.namespace ?? options.namespace, nodes };
      if (workload.kind === 'Job') return jobState(workload, place);
      if (workload.kind === 'DaemonSet') return daemonSetState(workload, place);
      if (isGateway(workload)) return gatewayState(workload, options.client, place.namespace);
      return deploymentState(workload, options.client, place.namespace);
    }),
  );
}

async function deploymentState(workload: KubeObject, client: ClusterReader, namespace: string): Promise<ReadState> {
  const name = describeObject(workload);
  const found = Deployment.safeParse(await client.get(`/apis/apps/v1/namespaces/${namespace}/deployments/${workload.metadata.name}`));
  if (!found.success) return { name, ready: 0, wanted: 1, missing: [`${name} is not there yet`], pending: [] };
  const { metadata, spec, status } = found.data;
  const current = status.observedGeneration >= metadata.generation && status.updatedReplicas >= spec.replicas;
  const ready = current ? Math.min(status.availableReplicas, spec.replicas) : 0;
  if (ready >= spec.replicas) return { name, ready, wanted: spec.replicas, missing: [], pending: [] };
  // Who may not list pods waits as well, without a reason.
  const pods = await readPods(client, namespace, spec.selector.matchLabels).catch(() => []);
  const reason = waitingReason(pods.filter((pod) => pod.metadata.deletionTimestamp === undefined));
  const missing = `${name} has ${ready} of ${spec.replicas} pods${inBrackets(reason)}`;
  return { name, ready, wanted: spec.replicas, missing: [missing], pending: [], ...(reason === undefined ? {} : { reason }) };
}

function inBrackets(text: string | undefined): string {
  return text === undefined ? '' : ` (${text})`;
}

/** `12 of 12 Jobs done; keeper ready on 3 of 4 nodes; not Ready, pending: n4`. */
function summary(states: readonly ReadState[]): string {
  const jobs = states.filter(({ name }) => name.startsWith('Job '));
  const others = states.filter(({ name }) => !name.startsWith('Job '));
  const sum = (of: readonly ReadState[], count: (state: ReadState) => number) => of.reduce((total, state) => total + count(state), 0);
  const jobText = jobs.length === 0 ? [] : [`${sum(jobs, ({ ready }) => ready)} of ${sum(jobs, ({ wanted }) => wanted)} Jobs done`];
  const otherTexts = others.map(
    ({ name, ready, wanted, reason }) => `${name.split('/').at(-1)} ready on ${ready} of ${wanted}${inBrackets(reason)}`,
  );
  const pending = [...new Set(states.flatMap((state) => state.pending))].sort();
  const pendingText = pending.length === 0 ? [] : [`not Ready, pending: ${shorten(pending)}`];
  return [...jobText, ...otherTexts, ...pendingText].join('; ');
}

async function notReady(
  states: readonly ReadState[],
  { client, namespace, timeoutMs }: Pick<WaitOptions, 'client' | 'namespace' | 'timeoutMs'>,
): Promise<Error> {
  const missing = states.flatMap((state) => state.missing);
  const events = await eventsOf(client, namespace);
  return failure(`not ready after ${Math.round(timeoutMs / 1000)} s: ${shorten(missing)}`, {
    where: client.cluster,
    hint: [...events, 'Mend the cause and run install again; it goes on where it stopped.'].join('\n'),
  });
}

function shorten(names: readonly string[]): string {
  const shown = 5;
  return names.length <= shown ? names.join(', ') : `${names.slice(0, shown).join(', ')} and ${names.length - shown} more`;
}
