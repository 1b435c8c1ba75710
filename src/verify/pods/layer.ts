// The third layer: on every node of every cluster a pod listens and another one asks, so that every pair of nodes is tried both ways.
import { IsthmusError } from '../../base/errors.ts';
import { readNodes } from '../../release/nodes.ts';
import { hasKernel, mostNodes, sampleNodes } from '../nodes.ts';
import { allEnded } from '../settle.ts';
import type { Check, Layer, LayerOutcome, Pair, Place, Scene, VerifiedCluster } from '../types.ts';
import { checksOf, readAnswers } from './answers.ts';
import { type Probe, removeOthers, removeOwn, runProbes } from './lifecycle.ts';

/** A pod that listens, and where it is. */
interface Listener extends Place {
  readonly node: string;
  readonly address: string;
}

export const podLayer: Layer = {
  name: 'pods',
  serves: 'network',
  run: async (scene, pairs) => {
    const names = new Set(pairs.flatMap(({ from, to }) => [from, to]));
    const clusters = [...scene.clusters.values()].filter(({ name }) => names.has(name));
    return tidyAfter(scene, clusters, () => askAll(scene, clusters, pairs));
  },
};

/** Whatever happens, the probe pods are removed before the outcome or the error goes on. */
async function tidyAfter(scene: Scene, clusters: readonly VerifiedCluster[], work: () => Promise<LayerOutcome>): Promise<LayerOutcome> {
  const tidy = async () => (await Promise.all(clusters.map((cluster) => removeOwn(scene, cluster)))).filter((text) => text !== undefined);
  let outcome: LayerOutcome;
  try {
    outcome = await work();
  } catch (error) {
    throw withLeft(error, await tidy());
  }
  return { ...outcome, left: await tidy() };
}

function withLeft(error: unknown, left: readonly string[]): unknown {
  if (left.length === 0 || !(error instanceof IsthmusError)) return error;
  const { kind, message, where, hint } = error;
  const hints = [...(hint === undefined ? [] : [hint]), ...left].join('\n');
  return new IsthmusError(kind, message, { ...(where === undefined ? {} : { where }), hint: hints, cause: error.cause });
}

async function askAll(scene: Scene, clusters: readonly VerifiedCluster[], pairs: readonly Pair[]): Promise<LayerOutcome> {
  const chosen = await Promise.all(clusters.map(chooseNodes));
  await allEnded(clusters.map((cluster) => removeOthers(scene, cluster)));
  const listening = await allEnded(
    clusters.map((cluster, index) => runProbes(scene, cluster, { wanted: wantedListeners(scene, chosen[index]), phase: 'Running' })),
  );
  const checks = clusters.flatMap((cluster, index) => [...noNodes(cluster, chosen[index]), ...problems(cluster, listening[index] ?? [])]);
  const notes = clusters.flatMap((cluster, index) => sampleNote(cluster, chosen[index]));
  if (scene.signal.aborted) return { checks, notes };
  const listeners = clusters.flatMap((cluster, index) => (listening[index] ?? []).flatMap((probe) => listenerOf(cluster, probe)));
  const asked = await allEnded(clusters.map((cluster) => askFrom(scene, cluster, { listeners, pairs })));
  return { checks: [...checks, ...asked.flat()], notes };
}

interface Chosen {
  readonly nodes: readonly string[];
  readonly candidates: number;
}

async function chooseNodes({ client }: VerifiedCluster): Promise<Chosen> {
  const nodes = [...(await readNodes(client, [])).values()].filter((node) => node.ready && hasKernel(node)).map(({ name }) => name);
  return { nodes: sampleNodes(nodes), candidates: nodes.length };
}

function wantedListeners({ run }: Scene, chosen: Chosen | undefined) {
  return (chosen?.nodes ?? []).map((node, index) => ({ name: `isthmus-verify-${run}-listen-${index}`, node }));
}

function noNodes({ name }: VerifiedCluster, chosen: Chosen | undefined): Check[] {
  if (chosen !== undefined && chosen.nodes.length > 0) return [];
  return [{ name: 'probe pods', from: { cluster: name }, outcome: 'failed', message: 'no node is Ready, so nothing can be tried' }];
}

function sampleNote({ name }: VerifiedCluster, chosen: Chosen | undefined): string[] {
  if (chosen === undefined || chosen.candidates <= mostNodes) return [];
  return [
    `${name}: ${chosen.nodes.length} of ${chosen.candidates} nodes were tried, spread evenly; the routes of all nodes were looked at.`,
  ];
}

function problems({ name }: VerifiedCluster, probes: readonly Probe[]): Check[] {
  return probes.flatMap(({ wanted, problem }): Check[] =>
    problem === undefined ? [] : [{ name: 'probe pod', from: { cluster: name, node: wanted.node }, outcome: 'failed', message: problem }],
  );
}

function listenerOf({ name }: VerifiedCluster, { wanted, state }: Probe): Listener[] {
  return state?.address === undefined ? [] : [{ cluster: name, node: wanted.node, address: state.address }];
}

interface Asking {
  readonly listeners: readonly Listener[];
  readonly pairs: readonly Pair[];
}

/** From every node of a cluster that has a listener, asks the listeners of the clusters it is paired with. */
async function askFrom(scene: Scene, cluster: VerifiedCluster, { listeners, pairs }: Asking): Promise<readonly Check[]> {
  const peers = new Set(pairs.filter(({ from }) => from === cluster.name).map(({ to }) => to));
  const targets = listeners.filter((listener) => peers.has(listener.cluster));
  const sources = listeners.filter((listener) => listener.cluster === cluster.name);
  if (targets.length === 0) return [];
  const wanted = sources.map(({ node }, index) => ({
    name: `isthmus-verify-${scene.run}-ask-${index}`,
    node,
    targets: targetLines(targets, index),
  }));
  const probes = await runProbes(scene, cluster, { wanted, phase: 'Succeeded' });
  if (scene.signal.aborted) return [];
  const results = await Promise.all(probes.filter(({ state }) => state !== undefined).map((probe) => readResults(cluster, probe, targets)));
  return [...problems(cluster, probes), ...results.flat()];
}

/** Each pod begins with another target, so that they do not all ask the same one at once. */
function targetLines(targets: readonly Listener[], start: number): string {
  const numbered = targets.map(({ address }, number) => `${number} ${address}`);
  const first = start % numbered.length;
  return [...numbered.slice(first), ...numbered.slice(0, first)].join('\n');
}

async function readResults(cluster: VerifiedCluster, { wanted, state }: Probe, targets: readonly Listener[]): Promise<readonly Check[]> {
  const from = { cluster: cluster.name, node: wanted.node };
  try {
    const answers = readAnswers(await cluster.client.podLog(cluster.namespace, wanted.name, { tailLines: targets.length + 10 }));
    return targets.flatMap(({ address: listener, ...to }, number) =>
      checksOf(answers.get(number), { from, to, asker: state?.address ?? '', listener }),
    );
  } catch (error) {
    if (!(error instanceof IsthmusError)) throw error;
    return [{ name: 'probe pod', from, outcome: 'failed', message: `its log cannot be read: ${error.message}` }];
  }
}
