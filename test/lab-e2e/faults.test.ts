// What happens to nodes and clusters while the routes are there: reboots, links that flap, new nodes, moved blocks, foreign hands.
import type { KubeObject } from '../../src/base/objects.ts';
import { assert, describe } from '../helpers/suite.ts';
import type { RealCluster } from '../lab/nodes/cluster.ts';
import { meshShape, nextNode } from '../lab/nodes/shape.ts';
import { waitFor } from '../lab/wait.ts';
import { changesOf, dumpAll, type RoutedLab, startRoutedLab } from './routed.ts';

const long = { timeoutMs: 300_000 };
const namespace = '/api/v1/namespaces/isthmus-system';
/** A block that no pod has an address of yet, so that it can move. */
const spare = '20.1.99.64/26';

describe('routes on real nodes', ({ test, before, after }) => {
  let routed: RoutedLab;
  const times = new Map<string, string>();

  before(async () => {
    routed = await startRoutedLab({ shape: withSpareBlock() });
  });
  after(async () => {
    for (const [fault, time] of times) console.log(`  ${fault}: ${time}`);
    await routed?.stop();
  });

  test(
    'are refused where somebody else has a route to the same block, which is named and left alone',
    async () => {
      const { machine } = nodeOf(routed.one, 'c1-n2');
      const foreign = ['20.1.35.192/26', 'via', '9.111.255.250', 'proto', 'static'];
      await machine.run('ip', 'route', 'add', ...foreign);
      await routed.operator.isthmus('generate', '--out', 'out');

      const { code, stdout, stderr } = await routed.operator.start('install', 'out', '--timeout', '25s').outcome;

      assert.is(code, 1, stdout);
      assert.match(`${stdout}${stderr}`, /c1-n2/);
      assert.match(`${stdout}${stderr}`, /20\.1\.35\.192\/26/);
      assert.match(await machine.run('ip', 'route', 'show', '20.1.35.192/26'), /via 9\.111\.255\.250 .*proto static/);
      await machine.run('ip', 'route', 'delete', ...foreign);
      times.set('foreign route removed', seconds(await routed.untilRouted()));
      await routed.install();
      assert.equal(await routed.complaints(), []);
    },
    long,
  );

  test(
    'come back after a link has gone down and up',
    async () => {
      await routed.one.flapLink('c1-n2');

      times.set('link flap', seconds(await routed.untilRouted()));
      await routed.untilJoined();
    },
    long,
  );

  test(
    'come back after a node has lost its power',
    async () => {
      await routed.two.reboot('c2-n2');

      times.set('node reboot, after its kubelet started', seconds(await routed.untilRouted()));
      await routed.untilJoined();
    },
    long,
  );

  test(
    'stay while the keeper is killed, and a new one is ready soon',
    async () => {
      const [keeper] = await keepers(routed.one);
      const dumps = await dumpAll(routed.lab);

      await routed.one.client.request('DELETE', `${namespace}/pods/${keeper?.metadata.name}`, { gracePeriodSeconds: 0 });

      const start = performance.now();
      await waitFor('three keepers', async () => {
        const now = await keepers(routed.one);
        return now.length === 3 && now.every((each) => isReady(each) && each.metadata.name !== keeper?.metadata.name);
      });
      times.set('keeper killed, routes stay, ready again', seconds((performance.now() - start) / 1000));
      assert.equal(changesOf(dumps, await dumpAll(routed.lab)), []);
    },
    long,
  );

  test(
    'stay while the desired routes are edited by hand, and the nodes say so',
    async () => {
      const shard = `${namespace}/configmaps/route-installer-routes-0`;
      const { data } = (await routed.two.client.get(shard)) as { data: Record<string, string> };
      const dumps = await dumpAll(routed.lab);

      await routed.two.client.mergePatch(shard, { data: { 'routes-0': '10.1.43.0/26 9.111.255.200\n' } });

      await waitFor('the nodes to be not ready', async () => (await keepers(routed.two)).every((each) => !isReady(each)), 150_000);
      assert.equal(changesOf(dumps, await dumpAll(routed.lab)), []);
      await routed.two.client.mergePatch(shard, { data });
      await waitFor('the nodes to be ready', async () => (await keepers(routed.two)).every(isReady), 150_000);
    },
    long,
  );

  test(
    'reach a node that joins, and lead to it after another install',
    async () => {
      await routed.two.addNode(nextNode(shapeOf(routed.two), 1));

      const start = performance.now();
      const { machine } = nodeOf(routed.two, 'c2-n4');
      await waitFor('routes on the new node', async () => (await ours(machine.run)).length === 3, 60_000);
      times.set('node added, its routes', seconds((performance.now() - start) / 1000));
      await routed.install();
      await routed.untilRouted();
      assert.equal(await routed.complaints(), []);
    },
    long,
  );

  test(
    'follow a block to another node after another install',
    async () => {
      await routed.two.moveBlock(spare, 'c2-n1');
      await routed.install();

      await routed.untilRouted();
      const route = await nodeOf(routed.one, 'c1-n1').machine.run('ip', 'route', 'show', spare);
      assert.match(route, /via 9\.111\.255\.77 /);
    },
    long,
  );

  test(
    'of one cluster are not harmed when the API server of the other stops in the middle of an install',
    async () => {
      await routed.operator.isthmus('uninstall', 'out');
      const running = routed.operator.start('install', 'out', '--timeout', '60s');
      await waitFor('the first writes to c2', () => routed.two.client.get(namespace));
      await routed.two.apiServer.stop();

      const { code, stdout, stderr } = await running.outcome;

      assert.is(code, 1, stdout);
      assert.match(stderr, /c2/);
      const nodes = (await routed.one.client.list('/api/v1/nodes')).length;
      assert.is(nodes, 3);
      routed.two.apiServer.restart();
      await waitFor('the API server of c2', async () => (await routed.two.client.request('GET', '/readyz')).status === 200);
      await untilInstalled(routed);
      assert.equal(await routed.complaints(), []);
    },
    long,
  );
});

/** A run that died holds the Lease for a while, so the next one may have to be asked again. */
async function untilInstalled(routed: RoutedLab): Promise<void> {
  await waitFor('an install that succeeds', async () => (await routed.operator.start('install', 'out').outcome).code === 0, 120_000);
}

function withSpareBlock(): ReturnType<typeof meshShape> {
  return meshShape({ clusters: 2, nodes: 3 }).map((cluster) => ({
    ...cluster,
    nodes: cluster.nodes.map((node) => (node.name === 'c2-n3' ? { ...node, blocks: [...node.blocks, spare] } : node)),
  }));
}

function shapeOf({ name, podCIDR, serviceCIDR, nodes }: RealCluster): Parameters<typeof nextNode>[0] {
  return { name, podCIDR, serviceCIDR, nodes: [...nodes.values()].map(({ shape }) => shape) };
}

function nodeOf(cluster: RealCluster, name: string) {
  const node = cluster.nodes.get(name);
  if (node === undefined) throw new Error(`${cluster.name} has no node ${name}`);
  return node;
}

async function ours(run: (...command: string[]) => Promise<string>): Promise<string[]> {
  return (await run('ip', 'route', 'show', 'proto', '157')).split('\n').filter((line) => line !== '');
}

interface PodObject extends KubeObject {
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

async function keepers({ client }: RealCluster): Promise<PodObject[]> {
  return (await client.list(`${namespace}/pods?labelSelector=app.kubernetes.io%2Fcomponent%3Dkeeper`)) as PodObject[];
}

function isReady({ status }: PodObject): boolean {
  return status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}
