// What the tests of faults do to a routed lab, and what they look at.
import { once } from 'node:events';
import type { KubeObject } from '../../src/base/objects.ts';
import { randoms } from '../e2e/kills.ts';
import type { Running } from '../helpers/shell.ts';
import type { RealCluster, RealNode } from '../lab/nodes/cluster.ts';

import { type ClusterShape, meshShape } from '../lab/nodes/shape.ts';
import { waitFor } from '../lab/wait.ts';
import { ourProtocol } from './changes.ts';
import type { RoutedLab } from './routed.ts';

export const namespace = '/api/v1/namespaces/isthmus-system';
const lease = '/apis/coordination.k8s.io/v1/namespaces/isthmus-system/leases/isthmus';
/** A block that no pod has an address of yet, so that it can move. */
export const spare = '20.1.99.64/26';

/** Two clusters of two nodes; the last one has a spare block. */
export function faultsShape(): ClusterShape[] {
  return meshShape({ clusters: 2, nodes: 2 }).map((cluster) => ({
    ...cluster,
    nodes: cluster.nodes.map((node) => (node.name === 'c2-n2' ? { ...node, blocks: [...node.blocks, spare] } : node)),
  }));
}

/** The shape that a cluster has by now. */
export function shapeOf({ name, podCIDR, serviceCIDR, nodes }: RealCluster): ClusterShape {
  return { name, podCIDR, serviceCIDR, nodes: [...nodes.values()].map(({ shape }) => shape) };
}

export function nodeOf({ lab }: RoutedLab, name: string): RealNode {
  const node = lab.clusters.map(({ nodes }) => nodes.get(name)).find((each) => each !== undefined);
  if (node === undefined) throw new Error(`there is no node ${name}`);
  return node;
}

/** Routes of ours that a node has. */
export async function ourRoutes({ machine }: RealNode): Promise<string[]> {
  return (await machine.run('ip', 'route', 'show', 'proto', ourProtocol)).split('\n').filter((line) => line !== '');
}

interface PodObject extends KubeObject {
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export async function keepers({ client }: RealCluster): Promise<PodObject[]> {
  return (await client.list(`${namespace}/pods?labelSelector=app.kubernetes.io%2Fcomponent%3Dkeeper`)) as PodObject[];
}

export function isReady({ status }: PodObject): boolean {
  return status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
}

/** Waits for all keepers of a cluster to say the same; now and then a link comes and goes, as pods make them do: then keepers look. */
export async function untilKeepers(cluster: RealCluster, ready: boolean): Promise<void> {
  let looks = 0;
  await waitFor(
    `the keepers of ${cluster.name} to be ${ready ? '' : 'not '}ready`,
    async () => {
      if (looks++ % 40 === 0) await Promise.all([...cluster.nodes.values()].map(stirLinks));
      return (await keepers(cluster)).every((each) => isReady(each) === ready);
    },
    150_000,
  );
}

async function stirLinks({ machine }: RealNode): Promise<void> {
  await machine.run('ip', 'link', 'add', 'passing', 'type', 'veth', 'peer', 'name', 'by');
  await machine.run('ip', 'link', 'delete', 'passing');
}

/** Waits until a run holds the Lease of a cluster: from then on it writes there. */
export async function untilAtWork({ client, name }: RealCluster): Promise<void> {
  await waitFor(`somebody to work in ${name}`, async () => {
    const found = (await client.get(lease)) as { spec?: { holderIdentity?: string } } | undefined;
    return (found?.spec?.holderIdentity ?? '') !== '';
  });
}

/** Pods of verify in all clusters. */
export async function verifyPods({ lab }: RoutedLab): Promise<string[]> {
  const path = `${namespace}/pods?labelSelector=app.kubernetes.io%2Fname%3Disthmus-verify`;
  const lists = await Promise.all(lab.clusters.map(({ client }) => client.list(path)));
  return lists.flat().map(({ metadata }) => metadata.name);
}

/** Starts verify, and ends it with a signal once its pods are there. */
export async function verifyInterrupted(routed: RoutedLab, signal: 'SIGINT' | 'SIGKILL'): Promise<Running> {
  const running = routed.operator.start('verify', 'out');
  await waitFor('probe pods', async () => (await verifyPods(routed)).length > 0);
  running.child.kill(signal);
  await once(running.child, 'close');
  return running;
}

export interface Kill {
  readonly command: 'install' | 'uninstall';
  readonly delayMs: number;
  readonly whom: 'process' | 'group';
}

/** Kills that a seed repeats: of removals and installations by turns, so that each finds work; every other one takes helm along. */
export function planKills(seed: number, count: number): Kill[] {
  return randoms(seed, count).map((fraction, index) => ({
    command: index % 2 === 0 ? 'uninstall' : 'install',
    // An installation takes about this long.
    delayMs: Math.round(fraction * 10_000),
    whom: index % 4 < 2 ? 'process' : 'group',
  }));
}
