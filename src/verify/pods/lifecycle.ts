// Makes probe pods, waits for them, and takes them away again, whatever happens in between.
import { IsthmusError, messageOf } from '../../base/errors.ts';
import { escapeText } from '../../base/names.ts';
import { eventsOf } from '../../release/events.ts';
import { reasonOf } from '../../release/pods.ts';
import { isTrue } from '../../release/workload-types.ts';
import { allEnded } from '../settle.ts';
import type { Owner, Scene, VerifiedCluster } from '../types.ts';
import { type ProbeState, probeLabels, probePod, readProbe, runLabel } from './pod.ts';

const pollMs = 1_000;
const removalMs = 60_000;

/** Reasons of a waiting container that no waiting mends. */
const hopeless: ReadonlySet<string> = new Set([
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CreateContainerConfigError',
  'RunContainerError',
]);

/** A probe pod that is wanted. */
export interface Wanted {
  readonly name: string;
  readonly node: string;
  readonly targets?: string;
}

/** What became of it: as it is now, or why it did not get there. */
export interface Probe {
  readonly wanted: Wanted;
  readonly state?: ProbeState;
  readonly problem?: string;
}

/** Makes the pods and waits until each has reached `phase` or cannot any more. */
export async function runProbes(
  scene: Scene,
  cluster: VerifiedCluster,
  { wanted, phase }: { readonly wanted: readonly Wanted[]; readonly phase: 'Running' | 'Succeeded' },
): Promise<readonly Probe[]> {
  const owner = await cluster.enter();
  const refused = new Map<string, string>();
  await allEnded(
    wanted.map((each) =>
      createProbe(scene, cluster, { ...each, ...(owner === undefined ? {} : { owner }) }).catch(noteRefusal(refused, each.name)),
    ),
  );
  const states = await waitForProbes(scene, cluster, { names: wanted.map(({ name }) => name).filter((name) => !refused.has(name)), phase });
  return Promise.all(
    wanted.map(async (each): Promise<Probe> => {
      const state = states.get(each.name);
      if (state?.phase === phase) return { wanted: each, state };
      return { wanted: each, problem: refused.get(each.name) ?? (await problemOf(cluster, state)) };
    }),
  );
}

function noteRefusal(refused: Map<string, string>, name: string) {
  return (error: unknown) => {
    if (!(error instanceof IsthmusError)) throw error;
    refused.set(name, messageOf(error));
  };
}

async function createProbe(
  { run, timeoutMs }: Scene,
  { client, namespace, probe }: VerifiedCluster,
  wanted: Wanted & { readonly owner?: Owner },
): Promise<void> {
  // Both kinds of pods are waited for, and listeners live while the others ask.
  const pod = probePod({ ...wanted, namespace, run, settings: probe, lifetimeMs: 2 * timeoutMs });
  await client.create(podsPath(namespace), pod);
}

async function waitForProbes(
  { clock, signal, timeoutMs, run, onProgress }: Scene,
  { client, namespace, name }: VerifiedCluster,
  { names, phase }: { readonly names: readonly string[]; readonly phase: string },
): Promise<ReadonlyMap<string, ProbeState>> {
  const end = clock.now().getTime() + timeoutMs;
  let shown = '';
  for (;;) {
    const states = await readProbes({ client, namespace }, `${runLabel}=${run}`);
    const waiting = names.filter((each) => !isSettled(states.get(each), phase));
    const text = `${names.length - waiting.length} of ${names.length} probe pods ${phase === 'Running' ? 'listen' : 'have asked'}`;
    if (text !== shown) onProgress(name, text);
    shown = text;
    if (waiting.length === 0 || signal.aborted || clock.now().getTime() >= end) return states;
    await clock.sleep(pollMs, signal);
  }
}

async function readProbes({ client, namespace }: Pick<VerifiedCluster, 'client' | 'namespace'>, selector: string) {
  const pods = (await client.collect(podsPath(namespace), readProbe, { labelSelector: selector })) ?? [];
  return new Map(pods.map((pod) => [pod.metadata.name, pod]));
}

function isSettled(state: ProbeState | undefined, phase: string): boolean {
  if (state === undefined) return false;
  if (state.phase === 'Succeeded' || state.phase === 'Failed') return true;
  if (phase === 'Running') return (state.phase === 'Running' && state.address !== undefined) || isHopeless(state);
  return isHopeless(state);
}

function isHopeless({ status }: ProbeState): boolean {
  return status.containerStatuses.some(({ state }) => hopeless.has(state.waiting?.reason ?? ''));
}

/** Why a pod is not where it should be: what the scheduler, the kubelet or the container says; else the latest event. */
async function problemOf({ client, namespace }: VerifiedCluster, state: ProbeState | undefined): Promise<string> {
  if (state === undefined) return 'it is gone; something else deleted it';
  if (state.refusal !== undefined) return escapeText(state.refusal);
  const unscheduled = state.status.conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  if (unscheduled !== undefined) return escapeText(unscheduled.message ?? 'it is not scheduled');
  if (state.phase === 'Running') return 'it had not ended when the time was over';
  if (state.phase !== 'Pending' || isHopeless(state)) return reasonOf(state, client, namespace);
  const [event] = (await eventsOf(client, namespace, state.metadata.name)).slice(-1);
  return event ?? `it is still ${isTrue(state.status.conditions, 'PodScheduled') ? 'starting' : 'waiting for its node'}`;
}

/** Removes the pods of runs that died. The Lease says that no other run is at work. */
export async function removeOthers({ run }: Scene, cluster: VerifiedCluster): Promise<void> {
  await cluster.enter();
  const all = await readProbes(cluster, selectorOf(probeLabels));
  const others = [...all.values()].filter(({ metadata }) => metadata.labels[runLabel] !== run);
  await Promise.all(others.map(({ metadata }) => deletePod(cluster, metadata.name)));
}

/**
 * Removes the pods of this run and waits until they are gone, also after Ctrl-C.
 * @returns what is still there and how to remove it; undefined when all is gone
 */
export async function removeOwn({ run, clock }: Scene, cluster: VerifiedCluster): Promise<string | undefined> {
  const end = clock.now().getTime() + removalMs;
  const help = `kubectl delete pods -n ${cluster.namespace} -l ${runLabel}=${run}`;
  try {
    for (;;) {
      const left = await readProbes(cluster, `${runLabel}=${run}`);
      if (left.size === 0) return undefined;
      if (clock.now().getTime() >= end) return `${cluster.name}: ${left.size} probe pods are still being deleted; see \`${help}\``;
      await Promise.all([...left.values()].filter(isStaying).map(({ metadata }) => deletePod(cluster, metadata.name)));
      await clock.sleep(pollMs);
    }
  } catch (error) {
    if (!(error instanceof IsthmusError)) throw error;
    return `${cluster.name}: probe pods could not be deleted: ${error.message}; delete them with \`${help}\``;
  }
}

function isStaying({ metadata }: ProbeState): boolean {
  return metadata.deletionTimestamp === undefined;
}

async function deletePod({ client, namespace }: VerifiedCluster, name: string): Promise<void> {
  await client.delete(`${podsPath(namespace)}/${name}`);
}

function podsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/pods`;
}

function selectorOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
