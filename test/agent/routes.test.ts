// The agent against a real kernel: which rows it adds, changes, withdraws, refuses and leaves alone.
import { assert, describe } from '../helpers/suite.ts';
import { manyRoutes } from './desired.ts';
import { onNode, run, shells } from './node.ts';

const two = ['20.1.0.0/26 10.0.7.2', '20.1.0.64/26 10.0.7.3'];
const twoRows = ['20.1.0.0/26 via 10.0.7.2 dev eth0 proto 157', '20.1.0.64/26 via 10.0.7.3 dev eth0 proto 157'];

for (const shell of shells) {
  describe(`routes of the agent (${shell})`, ({ test }) => {
    test('adds what is wanted, and a second run changes nothing', () =>
      onNode(shell, async (node) => {
        node.desire({ routes: two });

        const first = await node.agent('once');
        const second = await node.agent('once');

        assert.is(first.code, 0, first.output);
        assert.match(first.output, '2 added, 0 replaced, 0 withdrawn');
        assert.is(second.code, 0);
        assert.not.match(second.output, 'added');
        assert.equal(await node.rows(), twoRows);
      }));

    test('replaces and withdraws only its own rows', () =>
      onNode(shell, async (node) => {
        await node.ip('route add 20.1.0.0/26 via 10.0.7.9 proto 157');
        await node.ip('route add 20.1.9.0/26 via 10.0.7.9 proto 157');
        await node.ip('route add 20.1.8.0/26 via 10.0.7.9 proto 12');
        await node.ip('route add 30.0.0.0/8 via 10.0.7.9 proto 4');
        node.desire({ routes: two, settings: { 'withdraw-percent': '50' } });

        const { code, output } = await node.agent('once');

        assert.is(code, 0, output);
        assert.match(output, '1 added, 1 replaced, 1 withdrawn');
        assert.equal(await node.rows(), [
          ...twoRows,
          '20.1.8.0/26 via 10.0.7.9 dev eth0 proto 12',
          '30.0.0.0/8 via 10.0.7.9 dev eth0 proto 4',
        ]);
      }));

    test('leaves a foreign row with another next hop, at any metric, and says so', () =>
      onNode(shell, async (node) => {
        await node.ip('route add 20.1.0.0/26 via 10.0.7.9 proto 12 metric 50');
        await node.ip('route add blackhole 20.1.0.64/26 proto 80');
        node.desire({ routes: [...two, '20.1.0.128/26 10.0.7.4'] });
        const foreign = await node.rows();

        const { code, output } = await node.agent('once');

        assert.is(code, 1);
        assert.match(output, 'CONFLICT 20.1.0.0/26 via 10.0.7.2: the node has 20.1.0.0/26 via 10.0.7.9 dev eth0 proto 12 metric 50');
        assert.match(output, 'CONFLICT 20.1.0.64/26 via 10.0.7.3: the node has blackhole 20.1.0.64/26 proto 80');
        assert.match(node.termination(), 'CONFLICT 20.1.0.0/26');
        assert.equal(await node.rows(), [...foreign, '20.1.0.128/26 via 10.0.7.4 dev eth0 proto 157'].sort());
      }));

    test('is content with a foreign row that has the same next hop', () =>
      onNode(shell, async (node) => {
        await node.ip('route add 20.1.0.0/26 via 10.0.7.2 proto 4 metric 7');
        node.desire({ routes: two });

        const { code, output } = await node.agent('once');

        assert.is(code, 0, output);
        assert.equal(await node.rows(), ['20.1.0.0/26 via 10.0.7.2 dev eth0 proto 4 metric 7', twoRows[1] ?? '']);
      }));

    test('takes rows with its number but another shape for foreign', () =>
      onNode(shell, async (node) => {
        await node.ip('route add blackhole 20.1.0.0/26 proto 157');
        await node.ip('route add 20.1.7.0/26 proto 157 nexthop via 10.0.7.2 nexthop via 10.0.7.3');
        node.desire({ routes: two });

        const { code, output } = await node.agent('once');

        assert.is(code, 1);
        assert.match(output, 'CONFLICT 20.1.0.0/26 via 10.0.7.2: the node has blackhole');
        assert.match((await node.rows()).join('\n'), '6 20.1.0.0/26 proto 157');
        assert.match((await node.rows()).join('\n'), 'nexthop via 10.0.7.2');
      }));

    test('sets an mtu, changes it, and takes it away', () =>
      onNode(shell, async (node) => {
        const states: string[] = [];
        for (const mtu of [' 1400', ' 1380', '']) {
          node.desire({ routes: [`20.1.0.0/26 10.0.7.2${mtu}`] });
          const { code, output } = await node.agent('once');
          assert.is(code, 0, output);
          states.push(...(await node.rows()));
        }

        assert.equal(
          states,
          ['mtu 1400', 'mtu 1380', ''].map((end) => `20.1.0.0/26 via 10.0.7.2 dev eth0 proto 157 ${end}`.trim()),
        );
      }));

    test('keeps IPv6 routes, in whatever spelling they are given', () =>
      onNode(shell, async (node) => {
        await node.ip('-6 route add fd20:0:0:9::/64 via fd00:7::9 proto 157');
        node.desire({
          routes: ['FD20:0:0:0001::/64 fd00:7:0:0:0:0:0:2', 'fd20:0:0:2::1/128 fd00:7::3 1400'],
          settings: { 'withdraw-percent': '100' },
        });

        const first = await node.agent('once');
        const second = await node.agent('once');

        assert.is(first.code, 0, first.output);
        assert.not.match(second.output, /added|replaced|withdrawn/);
        assert.equal(await node.rows(), [
          'fd20:0:0:1::/64 via fd00:7::2 dev eth0 proto 157 metric 1024',
          'fd20:0:0:2::1 via fd00:7::3 dev eth0 proto 157 metric 1024 mtu 1400',
        ]);
      }));

    test('refuses a next hop on no link, names it, and installs the others', () =>
      onNode(shell, async (node) => {
        node.desire({ routes: [...two, '20.1.0.128/26 10.0.8.4'] });

        const { code, output } = await node.agent('once');

        assert.is(code, 1);
        assert.match(output, 'FAILED route add 20.1.0.128/26 via 10.0.8.4 proto 157: Nexthop has invalid gateway');
        assert.equal(await node.rows(), twoRows);
      }));

    test('takes such a next hop when onlink is asked for', () =>
      onNode(shell, async (node) => {
        await node.ip('route add 10.0.8.0/24 via 10.0.7.5 proto 4');
        node.desire({ routes: ['20.1.0.128/26 10.0.8.4'], settings: { onlink: 'yes' } });

        const first = await node.agent('once');
        const second = await node.agent('once');

        assert.is(first.code, 0, first.output);
        assert.not.match(second.output, 'added');
        assert.equal(await node.rows('proto 157'), ['20.1.0.128/26 via 10.0.8.4 dev eth0 onlink']);
      }));

    test('refuses what would capture an address or a network of this node', () =>
      onNode(shell, async (node) => {
        await node.ip('addr add 20.1.0.5/32 dev lo');
        await node.ip('addr add 20.1.1.1/24 dev far');
        node.desire({ routes: [...two, '20.1.1.64/26 10.0.7.2', '20.1.0.0/23 10.0.7.2'] });

        const { code, output } = await node.agent('once');

        assert.is(code, 1);
        assert.match(output, "REFUSED 20.1.0.0/26 via 10.0.7.2: holds this node's own address 20.1.0.5/32");
        assert.match(output, 'REFUSED 20.1.1.64/26 via 10.0.7.2: touches 20.1.1.0/24, which this node reaches directly');
        assert.match(output, "REFUSED 20.1.0.0/23 via 10.0.7.2: holds this node's own address");
        assert.equal(await node.rows('proto 157'), ['20.1.0.64/26 via 10.0.7.3 dev eth0']);
      }));

    test('skips routes through this node itself', () =>
      onNode(shell, async (node) => {
        node.desire({ routes: [...two, '20.1.0.128/26 10.0.7.1'] });

        const { code, output } = await node.agent('once');

        assert.is(code, 0, output);
        assert.match(output, 'SKIPPED 20.1.0.128/26 via 10.0.7.1: the next hop is this node');
        assert.equal(await node.rows(), twoRows);
      }));

    test('notices that packets go elsewhere by a longer foreign route or a rule', () =>
      onNode(shell, async (node) => {
        await node.ip('route add 20.1.0.0/27 via 10.0.7.9 proto 12');
        await node.ip('route add default via 10.0.7.8 table 99');
        await node.ip('rule add to 20.1.0.64/26 table 99');
        node.desire({ routes: [...two, '20.1.0.128/26 10.0.7.4', '20.1.0.128/32 10.0.7.5'] });

        const { code, output } = await node.agent('once');

        assert.is(code, 1);
        assert.match(output, 'DIVERTED 20.1.0.0/26 via 10.0.7.2: packets go 20.1.0.0 via 10.0.7.9 dev eth0');
        assert.match(output, 'DIVERTED 20.1.0.64/26 via 10.0.7.3: packets go 20.1.0.64 via 10.0.7.8');
        assert.not.match(output, 'DIVERTED 20.1.0.128');
      }));

    test('withdraws no more than it may, and the rest when that is allowed', () =>
      onNode(shell, async (node) => {
        const ten = manyRoutes(10);
        node.desire({ routes: ten });
        await node.agent('once');
        node.desire({ routes: ten.slice(0, 6) });

        const refused = await node.agent('once', { ISTHMUS_STATE: `${node.folder}/state` });
        const kept = await node.rows();
        node.desire({ routes: ten.slice(0, 6), settings: { 'withdraw-mass': 'yes' } });
        const allowed = await node.agent('once');

        assert.is(refused.code, 1);
        assert.match(refused.output, /MASS-WITHDRAWAL revision [0-9a-f]{12} withdraws 4 of 10 routes, more than 30 %/);
        assert.is(kept.length, 10);
        assert.is(allowed.code, 0, allowed.output);
        assert.is((await node.rows()).length, 6);
      }));

    test('lets one of three routes go, for the share is rounded up', () =>
      onNode(shell, async (node) => {
        const three = manyRoutes(3);
        node.desire({ routes: three });
        await node.agent('once');
        node.desire({ routes: three.slice(1) });

        const { code, output } = await node.agent('once');

        assert.is(code, 0, output);
        assert.match(output, '1 withdrawn');
      }));

    test('counts routes that a flap took among those that would be withdrawn', () =>
      onNode(shell, async (node) => {
        const ten = manyRoutes(10);
        node.desire({ routes: ten });
        await node.agent('once');
        await node.ip('link set eth0 down');
        await node.ip('link set eth0 up');
        node.desire({ routes: ten.slice(0, 2) });

        const { code, output } = await node.agent('once');

        assert.is(code, 1);
        assert.match(output, 'withdraws 8 of 10 routes');
        assert.is((await node.rows()).length, 10, 'the routes in use are mended');
      }));

    test('never takes an empty list for an order to remove', () =>
      onNode(shell, async (node) => {
        node.desire({ routes: two });
        await node.agent('once');
        node.desire({ routes: [], settings: { 'withdraw-mass': 'yes' } });

        const { code, output } = await node.agent('once');

        assert.is(code, 1);
        assert.match(output, 'has no routes and 2 are in use; removal needs mode: remove');
        assert.equal(await node.rows(), twoRows);
      }));

    test('removes every route of its own in mode remove, and nothing else', () =>
      onNode(shell, async (node) => {
        const foreign = ['30.0.0.0/8 via 10.0.7.9 proto 4', '20.1.9.0/26 via 10.0.7.9 proto 12', '20.1.8.0/26 via 10.0.7.9 proto 158'];
        for (const row of foreign) await node.ip(`route add ${row}`);
        const before = await node.rows();
        node.desire({ routes: [...two, 'fd20:0:0:1::/64 fd00:7::2'] });
        await node.agent('once');
        await node.ip('route add 99.0.0.0/8 via 10.0.7.9 proto 157 metric 3');
        node.desire({ routes: two, settings: { mode: 'remove' } });

        const { code, output } = await node.agent('once');

        assert.is(code, 0, output);
        assert.match(output, '4 withdrawn');
        assert.equal(await node.rows(), before);
      }));

    test('uses the number it is given', () =>
      onNode(shell, async (node) => {
        node.desire({ routes: two, settings: { protocol: '20' } });

        const { code } = await node.agent('once');

        assert.is(code, 0);
        assert.is((await node.rows('proto 20')).length, 2);
      }));

    test('comes to the same end when two run at once', () =>
      onNode(shell, async (node) => {
        node.desire({ routes: manyRoutes(500) });

        const outcomes = await Promise.all(
          ['one', 'two', 'three'].map(async (name) => {
            await run('mkdir', [`${node.folder}/${name}`]);
            return node.agent('once', { ISTHMUS_STATE: `${node.folder}/${name}` });
          }),
        );

        for (const { code, output } of outcomes) assert.is(code, 0, output);
        assert.is((await node.rows('proto 157')).length, 500);
      }));
  });

  describe(`20,000 routes (${shell})`, ({ test }) => {
    test(
      'are all there afterwards, and one that vanished comes back',
      () =>
        onNode(shell, async (node) => {
          const routes = manyRoutes(20_000, '20.0.0.0');
          node.desire({ routes, guards: ['remote 20.0.0.0/8', 'local-pod 10.1.0.0/16'] });

          const first = await node.agent('once');
          await node.ip('route del 20.0.1.0/26 proto 157');
          const second = await node.agent('once');

          assert.is(first.code, 0, first.output);
          assert.match(first.output, '20000 added');
          assert.match(second.output, '1 added, 0 replaced, 0 withdrawn');
          const expected = routes.map((line) => `${line.replace(' ', ' via ')} dev eth0 proto 157`).sort();
          assert.equal(await node.rows(), expected);
        }),
      { timeoutMs: 60_000 },
    );
  });
}
