// What a lab looks like at a moment, node by node and object by object, and what has changed since.
import { contents, differences, expectNone } from '../e2e/state.ts';
import type { RealCluster } from '../lab/nodes/cluster.ts';
import { dumpDifferences, dumpNode } from '../lab/nodes/dump.ts';
import type { Lab } from '../lab/nodes/lab.ts';
import { masqueradeChain } from '../lab/nodes/masquerade.ts';

/** Number that marks routes of isthmus in the kernel. */
export const ourProtocol = '157';

/** Dumps of all nodes of all clusters, by the name of the node's machine. */
export type Dumps = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

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

/** Passes once everything is as it was: controllers and CNI need their time. */
export async function expectUntouched(lab: Pick<Lab, 'clusters'>, { dumps, objects }: Moment): Promise<void> {
  await expectNone('everything to be as before', async () => [
    ...changesOf(dumps, await dumpAll(lab)),
    ...differences(objects, await contents(lab)),
  ]);
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

/** Blocks of the nodes of all other clusters, and where they are. */
export function targetsOutside(from: RealCluster, clusters: readonly RealCluster[]): string[] {
  const nodes = clusters.filter((to) => to !== from).flatMap((to) => [...to.nodes.values()]);
  return nodes.flatMap(({ shape }) => shape.blocks.map((block) => `${block} via ${shape.address}`));
}
