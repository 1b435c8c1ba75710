// What happens to nodes and clusters while the routes are there: reboots, links that flap, new nodes, moved blocks, foreign hands.

import { killAfter, outlive } from '../e2e/kills.ts';
import { differences, releaseStatuses } from '../e2e/state.ts';
import { assert, describe } from '../helpers/suite.ts';
import { nextNode } from '../lab/nodes/shape.ts';
import { waitFor } from '../lab/wait.ts';
import { changesOf, dumpAll } from './changes.ts';
import {
  faultsShape,
  isReady,
  keepers,
  namespace,
  nodeOf,
  ourRoutes,
  planKills,
  shapeOf,
  spare,
  untilAtWork,
  untilKeepers,
} from './faults-scene.ts';
import { type RoutedLab, startRoutedLab } from './routed.ts';
import { readVerification } from './verification.ts';

const long = { timeoutMs: 300_000 };
const shard = '/api/v1/namespaces/isthmus-system/configmaps/route-installer-routes-0';
const kills = Number(process.env['ISTHMUS_NODE_KILLS'] ?? '10');
const seed = Number(process.env['ISTHMUS_SEED'] ?? '1');

describe('routes on real nodes', ({ test, before, after }) => {
  let routed: RoutedLab;
  const times = new Map<string, string>();

  before(async () => {
    routed = await startRoutedLab({ shape: faultsShape() });
  });
  after(async () => {
    for (const [fault, time] of times) console.log(`  ${fault}: ${time}`);
    await routed?.stop();
  });

  const verify = async () => readVerification(await routed.operator.start('verify', 'out', '-o', 'json').outcome);

  test(
    'are refused where somebody else has a route to the same block, which is named and left alone',
    async () => {
      const { machine } = nodeOf(routed, 'c1-n2');
      const foreign = ['20.1.35.192/26', 'via', '9.111.255.250', 'proto', 'static'];
      await machine.run('ip', 'route', 'add', ...foreign);
      await routed.operator.isthmus('generate', '--out', 'out');

      const { code, stdout, stderr } = await routed.operator.start('install', 'out', '--timeout', '15s').outcome;

      assert.is(code, 1, stdout);
      assert.match(`${stdout}${stderr}`, /c1-n2/);
      assert.match(`${stdout}${stderr}`, /20\.1\.35\.192\/26/);
      assert.match(await machine.run('ip', 'route', 'show', '20.1.35.192/26'), /via 9\.111\.255\.250 .*proto static/);
      await machine.run('ip', 'route', 'delete', ...foreign);
      times.set('foreign route removed', seconds(await routed.untilRouted()));
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
      await waitFor('the keepers', async () => {
        const now = await keepers(routed.one);
        return now.length === 2 && now.every((each) => isReady(each) && each.metadata.name !== keeper?.metadata.name);
      });
      times.set('keeper killed, routes stay, ready again', seconds((performance.now() - start) / 1000));
      assert.equal(changesOf(dumps, await dumpAll(routed.lab)), []);
    },
    long,
  );

  test(
    'stay while the desired routes are edited by hand: the nodes say so, and install takes them back when it is told to',
    async () => {
      const dumps = await dumpAll(routed.lab);

      await routed.two.client.mergePatch(shard, { data: { 'routes-0': '10.1.43.0/26 9.111.255.200\n' } });

      await untilKeepers(routed.two, false);
      assert.equal(changesOf(dumps, await dumpAll(routed.lab)), []);
      const refused = await routed.operator.start('install', 'out').outcome;
      assert.is(refused.code, 1, refused.stdout);
      assert.match(refused.stderr, /route-installer-routes-0 was edited/);
      await routed.operator.isthmus('install', 'out', '--force-conflicts');
      await untilKeepers(routed.two, true);
      assert.equal(await routed.complaints(), []);
    },
    long,
  );

  test(
    'hold over a link that delays every packet and loses one of a hundred, and pass verify',
    async () => {
      const dumps = await dumpAll(routed.lab);
      const { machine } = nodeOf(routed, 'c1-n1');
      const heal = await routed.lab.fabric.impair('c2-n2', { delayMs: 20, loseEvery: 100 });

      const pings = await machine.run('ping', '-q', '-c', '100', '-i', '0.01', nodeOf(routed, 'c2-n2').shape.address);
      const { code, failed } = await verify();

      await heal();
      const [, received = '', fastest = ''] = /, (\d+) received.*= ([\d.]+)\//s.exec(pings) ?? [];
      assert.ok(Number(received) < 100 && Number(fastest) > 38, pings);
      assert.is(code, 0, failed.join('\n'));
      assert.equal(changesOf(dumps, await dumpAll(routed.lab)), []);
    },
    long,
  );

  test(
    'reach a node that joins',
    async () => {
      await routed.one.addNode(nextNode(shapeOf(routed.one), 0));

      const start = performance.now();
      const wanted = (await ourRoutes(nodeOf(routed, 'c1-n1'))).length;
      await waitFor('routes on the new node', async () => (await ourRoutes(nodeOf(routed, 'c1-n3'))).length === wanted, 60_000);
      times.set('node added, its routes', seconds((performance.now() - start) / 1000));
    },
    long,
  );

  test(
    'of one cluster are not harmed when the API server of the other stops in the middle of an install; the next one leads to the new node',
    async () => {
      const dumps = await dumpAll(routed.lab);
      await routed.operator.isthmus('generate', '--out', 'out', '--overwrite');
      const running = routed.operator.start('install', 'out', '--timeout', '20s');
      await untilAtWork(routed.two);
      await routed.two.apiServer.stop();

      const { code, stdout, stderr } = await running.outcome;

      assert.is(code, 1, stdout);
      assert.match(stderr, /c2/);
      const lost = changesOf(dumps, await dumpAll(routed.lab)).filter((line) => /^c1-\S+ - /.test(line));
      assert.equal(lost, []);
      routed.two.apiServer.restart();
      await waitFor('the API server of c2', async () => (await routed.two.client.request('GET', '/readyz')).status === 200);
      await outlive(running, routed.lab);
      await routed.operator.isthmus('install', 'out');
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
      const route = await nodeOf(routed, 'c1-n1').machine.run('ip', 'route', 'show', spare);
      assert.match(route, /via 9\.111\.255\.77 /);
    },
    long,
  );

  test(
    'are installed once by two runs at the same time: one waits or refuses',
    async () => {
      for (const { client } of routed.lab.clusters)
        await client.delete('/apis/apps/v1/namespaces/isthmus-system/daemonsets/route-installer-keeper');

      const runs = [routed.operator.start('install', 'out'), routed.operator.start('install', 'out')];

      const outcomes = await Promise.all(runs.map(({ outcome }) => outcome));
      const refused = outcomes.filter(({ code }) => code !== 0);
      assert.ok(refused.length < 2, refused.map(({ stderr }) => stderr).join('\n'));
      for (const { stderr } of refused) assert.match(stderr, /another run of isthmus/);
      for (const cluster of routed.lab.clusters) await untilKeepers(cluster, true);
      assert.equal(await routed.complaints(), []);
    },
    long,
  );

  test(
    `converge after kill -9 at ${kills} random points of removals and installations`,
    async () => {
      const wanted = await releaseStatuses(routed.lab);
      for (const { command, delayMs, whom } of planKills(seed, kills)) {
        const running = routed.operator.start(command, 'out');
        await killAfter(running, delayMs, whom);
        await outlive(running, routed.lab);
      }

      await routed.operator.isthmus('install', 'out');

      await routed.untilRouted();
      assert.equal(differences(wanted, await releaseStatuses(routed.lab)), []);
      assert.equal(await routed.complaints(), []);
    },
    { timeoutMs: 120_000 + kills * 30_000 },
  );
});

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}
