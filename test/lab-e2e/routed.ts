// The stage of the tests of routes: two clusters of three real nodes, a probe pod on each node, and an operator with the built CLI.
import { contents, differences } from '../e2e/state.ts';
import type { Outcome } from '../helpers/shell.ts';
import type { RealCluster } from '../lab/nodes/cluster.ts';
import { dumpDifferences, dumpNode } from '../lab/nodes/dump.ts';
import { labImages } from '../lab/nodes/images.ts';
import { type Lab, type LabOptions, startLab } from '../lab/nodes/lab.ts';
import { masqueradeChain } from '../lab/nodes/masquerade.ts';
import { complaints, reachAll, startProbes } from '../lab/nodes/probes.ts';
import { waitFor } from '../lab/wait.ts';
import { createOperator, type Operator } from './operator.ts';

export interface RoutedLab {
  readonly lab: Lab;
  readonly one: RealCluster;
  readonly two: RealCluster;
  readonly operator: Operator;
  /** Runs generate and install, with success. */
  install(): Promise<Outcome>;
  /** What does not get through between the pods of the two clusters, either way; nothing when all is well. */
  complaints(): Promise<string[]>;
  /** Waits until every pod reaches every pod; returns the seconds it took. */
  untilJoined(): Promise<number>;
  /** Waits until every node has exactly the routes to the blocks of the other cluster; returns the seconds it took. */
  untilRouted(): Promise<number>;
  stop(): Promise<void>;
}

/** Dumps of all nodes of all clusters, by the name of the node's machine. */
export type Dumps = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** Starts the lab and describes its mesh: two primaries, because routes need no istiod. */
export async function startRoutedLab(options: LabOptions = {}): Promise<RoutedLab> {
  const lab = await startLab(options);
  try {
    return await describeMesh(lab);
  } catch (error) {
    await lab.stop();
    throw error;
  }
}

async function describeMesh(lab: Lab): Promise<RoutedLab> {
  const [one, two] = lab.clusters;
  if (one === undefined || two === undefined) throw new Error('the lab has less than two clusters');
  const operator = createOperator(lab);
  await operator.writeMesh((mesh) => {
    for (const cluster of mesh.clusters) cluster['role'] = 'primary';
    mesh.routes = { image: labImages.tools };
  });
  const look = () => complaintsBetween(lab, operator.run);
  await Promise.all(lab.clusters.map(startProbes));
  return {
    lab,
    one,
    two,
    operator,
    install: async () => {
      await operator.isthmus('generate', '--out', 'out', '--overwrite');
      return operator.isthmus('install', 'out');
    },
    complaints: look,
    untilJoined: () => secondsUntil('every pod to reach every pod', look),
    untilRouted: () => secondsUntil('every node to have its routes', () => wrongRoutes(lab)),
    stop: async () => {
      operator.remove();
      await lab.stop();
    },
  };
}

/** Waits for an empty list; the error shows what was in it last. */
async function secondsUntil(what: string, look: () => Promise<string[]>): Promise<number> {
  const start = performance.now();
  const empty = async () => {
    const left = await look();
    if (left.length > 0) throw new Error(left.join('\n'));
    return true;
  };
  await waitFor(what, empty, 120_000);
  return (performance.now() - start) / 1000;
}

/** What does not get through between probe pods of different clusters, either way; nothing when all is well. */
export async function complaintsBetween({ clusters }: Pick<Lab, 'clusters'>, run: Operator['run']): Promise<string[]> {
  const probes = await Promise.all(clusters.map(startProbes));
  const reaches = probes.flatMap((from) => probes.filter((to) => to !== from).map((to) => reachAll(run, from, to)));
  return complaints((await Promise.all(reaches)).flat());
}

/** Routes of ours that are missing on a node, or too many. */
async function wrongRoutes({ clusters }: Pick<Lab, 'clusters'>): Promise<string[]> {
  const wrong = clusters.flatMap((from) =>
    [...from.nodes.values()].map(async ({ shape, machine }) => {
      const wanted = targetsOutside(from, clusters).sort().join('\n');
      const there = (await machine.run('ip', 'route', 'show', 'proto', ourProtocol)).trim().split('\n');
      const found = there.map((line) => line.replace(/ dev .*/, '')).sort();
      return found.join('\n') === wanted ? [] : [`${shape.machine} has ${found.join(', ')}`];
    }),
  );
  return (await Promise.all(wrong)).flat();
}

const ourProtocol = '157';

/** Blocks of the nodes of all other clusters, and where they are. */
function targetsOutside(from: RealCluster, clusters: readonly RealCluster[]): string[] {
  const nodes = clusters.filter((to) => to !== from).flatMap((to) => [...to.nodes.values()]);
  return nodes.flatMap(({ shape }) => shape.blocks.map((block) => `${block} via ${shape.address}`));
}

/** Looks at every node of every cluster. */
export async function dumpAll({ clusters }: Pick<Lab, 'clusters'>): Promise<Dumps> {
  const nodes = clusters.flatMap((cluster) => [...cluster.nodes.values()]);
  return new Map(await Promise.all(nodes.map(async ({ shape, machine }) => [shape.machine, await dumpNode(machine)] as const)));
}

/** What is new or gone on each node, `node: + routes: ...`. */
export function changesOf(before: Dumps, after: Dumps): string[] {
  return [...after]
    .flatMap(([node, dump]) => dumpDifferences(before.get(node) ?? new Map(), dump).map((line) => `${node}: ${line}`))
    .sort();
}

/** What a lab was at some moment. */
export interface Moment {
  readonly dumps: Dumps;
  /** As contents gives them. */
  readonly objects: ReadonlyMap<string, unknown>;
}

/** What is still different when controllers and CNI have had their time: nothing, once all is as it was. */
export async function lastingChanges(lab: Pick<Lab, 'clusters'>, { dumps, objects }: Moment): Promise<string[]> {
  let left: string[] = [];
  const look = async () => {
    left = [...changesOf(dumps, await dumpAll(lab)), ...differences(objects, await contents(lab))];
    return left.length === 0;
  };
  await waitFor('everything to be as before', look).catch(() => undefined);
  return left;
}

/** What Calico makes of our IPPools on every node, as changesOf gives it: it no longer masquerades packets to the other clusters. */
export function calicoChanges({ clusters }: Pick<Lab, 'clusters'>): string[] {
  const changes = clusters.flatMap((from) => {
    const others = clusters.filter((to) => to !== from);
    const lines = others.map(({ podCIDR }) => `+ packet filter: -A ${masqueradeChain} -d ${podCIDR} -j RETURN`);
    return [...from.nodes.values()].flatMap(({ shape }) => lines.map((line) => `${shape.machine}: ${line}`));
  });
  return changes.sort();
}

/** The line that changesOf gives for each route of ours, on every node, from the shape of the clusters alone. */
export function plannedChanges({ clusters }: Pick<Lab, 'clusters'>): string[] {
  const line = (target: string) => `+ routes: unicast ${target} dev eth0 table main proto ${ourProtocol} scope global`;
  const changes = clusters.flatMap((from) =>
    [...from.nodes.values()].flatMap(({ shape }) => targetsOutside(from, clusters).map((target) => `${shape.machine}: ${line(target)}`)),
  );
  return changes.sort();
}
