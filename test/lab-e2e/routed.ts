// The stage of the tests of routes: two clusters of three real nodes, a probe pod on each node, and an operator with the built CLI.

import type { RealCluster } from '../lab/nodes/cluster.ts';
import { dumpDifferences, dumpNode } from '../lab/nodes/dump.ts';
import { labImages } from '../lab/nodes/images.ts';
import { type Lab, type LabOptions, startLab } from '../lab/nodes/lab.ts';
import { complaints, reachAll, startProbes } from '../lab/nodes/probes.ts';
import { waitFor } from '../lab/wait.ts';
import { createOperator, type Operator, type Outcome } from './operator.ts';

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

/** Dumps of all nodes of all clusters, by node. */
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
  const look = async () => {
    const [first = [], second = []] = await Promise.all([one, two].map(startProbes));
    const both = await Promise.all([reachAll(operator.run, first, second), reachAll(operator.run, second, first)]);
    return complaints(both.flat());
  };
  await Promise.all([one, two].map(startProbes));
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
    untilRouted: () => secondsUntil('every node to have its routes', () => wrongRoutes({ one, two })),
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

/** Routes of ours that are missing on a node, or too many. */
async function wrongRoutes({ one, two }: Pick<RoutedLab, 'one' | 'two'>): Promise<string[]> {
  const sides = [[one, two] as const, [two, one] as const];
  const wrong = sides.flatMap(([from, to]) =>
    [...from.nodes.values()].map(async ({ shape, machine }) => {
      const wanted = targetsIn(to).sort().join('\n');
      const there = (await machine.run('ip', 'route', 'show', 'proto', ourProtocol)).trim().split('\n');
      const found = there.map((line) => line.replace(/ dev .*/, '')).sort();
      return found.join('\n') === wanted ? [] : [`${shape.name} has ${found.join(', ')}`];
    }),
  );
  return (await Promise.all(wrong)).flat();
}

const ourProtocol = '157';

function targetsIn(cluster: RealCluster): string[] {
  return [...cluster.nodes.values()].flatMap(({ shape }) => shape.blocks.map((block) => `${block} via ${shape.address}`));
}

/** Looks at every node of every cluster. */
export async function dumpAll({ clusters }: Pick<Lab, 'clusters'>): Promise<Dumps> {
  const nodes = clusters.flatMap((cluster) => [...cluster.nodes.values()]);
  return new Map(await Promise.all(nodes.map(async ({ shape, machine }) => [shape.name, await dumpNode(machine)] as const)));
}

/** What is new or gone on each node, `node: + routes: ...`. */
export function changesOf(before: Dumps, after: Dumps): string[] {
  return [...after]
    .flatMap(([node, dump]) => dumpDifferences(before.get(node) ?? new Map(), dump).map((line) => `${node}: ${line}`))
    .sort();
}

/** The line that changesOf gives for each route of ours, on every node, from the shape of the clusters alone. */
export function plannedChanges({ one, two }: Pick<RoutedLab, 'one' | 'two'>): string[] {
  return [...routesTo(one, two), ...routesTo(two, one)].sort();
}

function routesTo(from: RealCluster, to: RealCluster): string[] {
  const line = (target: string) => `+ routes: unicast ${target} dev eth0 table main proto ${ourProtocol} scope global`;
  return [...from.nodes.keys()].flatMap((node) => targetsIn(to).map((target) => `${node}: ${line(target)}`));
}
