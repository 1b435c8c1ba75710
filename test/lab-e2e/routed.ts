// The stage of the tests of routes: two clusters of real nodes, a probe pod on each node, and an operator with the built CLI.
import type { Outcome } from '../helpers/shell.ts';
import type { RealCluster } from '../lab/nodes/cluster.ts';
import { labImages } from '../lab/nodes/images.ts';
import { type Lab, type LabOptions, startLab } from '../lab/nodes/lab.ts';
import { complaints, reachAll, startProbes } from '../lab/nodes/probes.ts';
import { waitFor } from '../lab/wait.ts';
import { ourProtocol, targetsOutside } from './changes.ts';
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
