// The keeper: what it heals, when it looks, what it says, and how it stops.
import { join } from 'node:path';
import { assert, describe } from '../helpers/suite.ts';
import { manyRoutes } from './desired.ts';
import { eventually, type Keeper, type Node, onNode, run, shells } from './node.ts';

const routes = manyRoutes(5);

async function started(node: Node, env: Readonly<Record<string, string>> = {}): Promise<Keeper> {
  const keeper = node.keep(env);
  await eventually(`ready: ${keeper.said()}`, 10, async () => (await node.agent('probe')).code === 0);
  // It looks once more when it begins to listen; wait for the quiet after that.
  await new Promise((resolve) => setTimeout(resolve, 2000));
  return keeper;
}

async function has(node: Node, count: number): Promise<boolean> {
  return (await node.rows('proto 157')).length === count;
}

for (const shell of shells) {
  describe(`keeper (${shell})`, ({ test }) => {
    test(
      'puts routes back within seconds of a link flap, an address lost and found, and a row deleted',
      () =>
        onNode(shell, async (node) => {
          node.desire({ routes });
          const keeper = await started(node);

          await node.ip('link set eth0 down');
          assert.ok(await has(node, 0));
          await node.ip('link set eth0 up');
          await eventually('routes after the flap', 8, () => has(node, 5));
          await node.ip('addr del 10.0.7.1/24 dev eth0');
          assert.ok(await has(node, 0));
          await node.ip('addr add 10.0.7.1/24 dev eth0');
          await eventually('routes after the address', 8, () => has(node, 5));
          await node.ip('route del 20.1.0.64/26 proto 157');
          await eventually('routes after the deletion', 12, () => has(node, 5));

          assert.is(keeper.process.exitCode, null);
          await keeper.stop();
        }),
      { timeoutMs: 60_000 },
    );

    test(
      'is not ready while routes cannot be there, and ready again afterwards',
      () =>
        onNode(shell, async (node) => {
          node.desire({ routes });
          const keeper = await started(node);

          await node.ip('addr del 10.0.7.1/24 dev eth0');
          await eventually('not ready', 8, async () => (await node.agent('probe')).output.includes('FAILED route add 20.1.0.0/26'));
          await node.ip('addr add 10.0.7.1/24 dev eth0');
          await eventually('ready', 8, async () => (await node.agent('probe')).code === 0);

          await keeper.stop();
        }),
      { timeoutMs: 60_000 },
    );

    test(
      'follows a changed file, and keeps to the last good one when the next is bad',
      () =>
        onNode(shell, async (node) => {
          node.desire({ routes });
          const keeper = await started(node);

          node.desire({ routes: manyRoutes(7) });
          await eventually('seven routes', 8, () => has(node, 7));
          node.desire({ routes: [...manyRoutes(8), '0.0.0.0/0 10.0.7.2'] });
          await eventually('not ready', 8, async () => (await node.agent('probe')).output.includes('BAD-FILE route 0.0.0.0/0'));
          await node.ip('link set eth0 down');
          await node.ip('link set eth0 up');
          await eventually('seven routes again', 8, () => has(node, 7));

          await keeper.stop();
        }),
      { timeoutMs: 60_000 },
    );

    test(
      'leaves the routes and no process behind when it is told to stop',
      () =>
        onNode(shell, async (node) => {
          node.desire({ routes });
          const keeper = await started(node);

          const start = Date.now();
          const code = await keeper.stop();

          assert.is(code, 143);
          assert.ok(Date.now() - start < 4000, 'within the grace period of its pod');
          assert.match(keeper.said(), 'stopped; the routes stay');
          assert.ok(await has(node, 5));
          await eventually('no process', 3, async () => (await run('ip', ['netns', 'pids', node.namespace])).output.trim() === '');
        }),
      { timeoutMs: 60_000 },
    );

    test(
      'converges after it was killed, also in a new container',
      () =>
        onNode(shell, async (node) => {
          node.desire({ routes });
          const first = await started(node);
          await first.stop('SIGKILL');
          await node.ip('route del 20.1.0.0/26 proto 157');
          await node.ip('route add 20.1.9.0/26 via 10.0.7.9 proto 157');
          const fresh = join(node.folder, 'fresh');
          await run('mkdir', [fresh]);

          const second = node.keep({ ISTHMUS_STATE: fresh });
          await eventually('the routes as wanted', 8, async () => {
            const rows = (await node.rows('proto 157')).map((row) => row.split(' ')[0]);
            return (
              rows.join() ===
              routes
                .map((line) => line.split(' ')[0])
                .sort()
                .join()
            );
          });

          await second.stop();
        }),
      { timeoutMs: 60_000 },
    );

    test(
      'is ready for its own revision only',
      () =>
        onNode(shell, async (node) => {
          node.desire({ routes });
          const keeper = node.keep({ ISTHMUS_REVISION: '000000000000' });

          await eventually('a look', 8, async () => (await node.agent('probe')).output.includes('this pod waits for 000000000000'));

          assert.ok(await has(node, 5), 'the mounted routes are installed all the same');
          await keeper.stop();
        }),
      { timeoutMs: 60_000 },
    );

    test('does not answer the probe before its first look, nor long after its last', () =>
      onNode(shell, async (node) => {
        const before = await node.agent('probe');
        node.desire({ routes });
        await node.agent('once', { ISTHMUS_INTERVAL: '1' });
        const fresh = await node.agent('probe', { ISTHMUS_INTERVAL: '1' });
        await run('sed', ['-i', '1s/[0-9]*$/1000000000/', join(node.folder, 'state', 'status')]);
        const stale = await node.agent('probe', { ISTHMUS_INTERVAL: '1' });

        assert.is(before.code, 1);
        assert.match(before.output, 'no look at the routes yet');
        assert.is(fresh.code, 0);
        assert.is(stale.code, 1);
        assert.match(stale.output, 'the last look is too old');
      }));

    test('waits in a Job for the revision to be mounted, but not for ever', () =>
      onNode(shell, async (node) => {
        node.desire({ routes: manyRoutes(2) });
        const other = await node.agent('once', { ISTHMUS_REVISION: '000000000000', ISTHMUS_PATIENCE: '1' });
        const late = node.agent('once', { ISTHMUS_REVISION: '000000000000', ISTHMUS_PATIENCE: '2' });

        assert.is(other.code, 1);
        assert.match(node.termination(), /^REVISION [0-9a-f]{12} is in use, this pod waits for 000000000000\n$/);
        assert.is((await late).code, 1);
      }));
  });
}
