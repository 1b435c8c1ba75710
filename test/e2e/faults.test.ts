// What goes wrong in the middle: an API server that is down, two runs at once, kill -9 at any moment. Running again must mend it.
import { type Helm, helms } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';
import type { Cluster } from '../lab/cluster.ts';
import { removeAdded } from '../lab/objects.ts';
import { waitFor } from '../lab/wait.ts';
import { killAfter, outlive, randoms } from './kills.ts';
import { type Scene, startScene } from './scene.ts';
import { contents, differences, expectNone, intents, releaseStatuses, settledContents } from './state.ts';

const kills = Number(process.env['ISTHMUS_KILLS'] ?? '10');
const seed = Number(process.env['ISTHMUS_SEED'] ?? '1');
const long = { timeoutMs: 400_000 };

describe('an installation that is disturbed', ({ test, before, after }) => {
  let scene: Scene;
  let untouched: ReadonlyMap<string, unknown>;
  let wanted: ReadonlyMap<string, unknown>;
  let seconds = 0;

  before(async () => {
    scene = await startScene();
    await scene.writeMesh();
    await scene.isthmus('helm4', 'generate', '--out', 'out');
    untouched = await settledContents(scene);
  });
  after(() => scene?.stop());

  test(
    'is compared with one that was not',
    async () => {
      const start = performance.now();

      await scene.isthmus('helm4', 'install', 'out');

      seconds = (performance.now() - start) / 1000;
      wanted = await intents(scene);
      assert.ok(wanted.size > untouched.size - 40, `${wanted.size} objects`);
      await expectInstalled();
      await reset();
    },
    long,
  );

  test(
    'fails clearly while the API server of the remote is down, and leaves the primary alone',
    async () => {
      const primary = await contentsOf('cluster1');
      const server = scene.remote.processes.get('kube-apiserver');
      await server?.stop();

      const outcome = await scene.start('helm4', ['install', 'out']).outcome;

      server?.restart();
      await ready(scene.remote);
      assert.is(outcome.code, 1);
      assert.match(outcome.stderr, /cluster2/);
      assert.not.match(outcome.stderr, /bug in isthmus/);
      assert.equal(
        differences(primary, await contentsOf('cluster1')).filter((line) => line.startsWith('-')),
        [],
      );
      await scene.isthmus('helm4', 'install', 'out');
      await expectInstalled();
      await reset();
    },
    long,
  );

  test(
    'is picked up where the API server of the remote went away',
    async () => {
      const running = scene.start('helm4', ['install', 'out']);
      await waitFor('the first writes to the remote', () => scene.remote.client.get('/api/v1/namespaces/isthmus-system'));
      const server = scene.remote.processes.get('kube-apiserver');
      await server?.stop();
      const { code, stderr } = await running.outcome;
      server?.restart();
      await ready(scene.remote);
      assert.is(code, 1, stderr);
      assert.match(stderr, /cluster2/);

      await outlive(running, scene);
      await scene.isthmus('helm4', 'install', 'out');

      await expectInstalled();
      await reset();
    },
    long,
  );

  test(
    'refuses or waits when another one is at work',
    async () => {
      const runs = [scene.start('helm4', ['install', 'out']), scene.start('helm3', ['install', 'out'])];

      const outcomes = await Promise.all(runs.map(({ outcome }) => outcome));

      const refused = outcomes.filter(({ code }) => code !== 0);
      assert.ok(refused.length < 2, refused.map(({ stderr }) => stderr).join('\n'));
      for (const { stderr } of refused) assert.match(stderr, /another run of isthmus/);
      await expectInstalled();
      await reset();
    },
    long,
  );

  for (const helm of helms) {
    test(
      `converges after kill -9 at ${kills / 2} random points with ${helm}`,
      async () => {
        for (const fraction of randoms(seed + helms.indexOf(helm), kills / 2)) await killAndMend(helm, fraction);
      },
      { timeoutMs: 60_000 + kills * 30_000 },
    );
  }

  /** One kill: half of them take the running helm along, as the loss of a machine does. */
  async function killAndMend(helm: Helm, fraction: number): Promise<void> {
    const running = scene.start(helm, ['install', 'out']);
    const delay = fraction * seconds * 1000;
    await killAfter(running, delay, (fraction * 1000) % 2 < 1 ? 'group' : 'process');
    await outlive(running, scene);

    await scene.isthmus(helm, 'install', 'out');

    await expectInstalled(`killed with ${helm} after ${Math.round(delay)} ms, seed ${seed}`);
    await reset();
  }

  async function expectInstalled(when = 'undisturbed'): Promise<void> {
    await expectNone(`the installation to be whole, ${when}`, async () => differences(wanted, await intents(scene)));
    const unfinished = [...(await releaseStatuses(scene))].filter(([, status]) => status !== 'deployed');
    assert.equal(unfinished, [], when);
  }

  async function contentsOf(cluster: string): Promise<Map<string, unknown>> {
    return new Map([...(await contents(scene))].filter(([key]) => key.startsWith(`${cluster} `)));
  }

  /** Back to the start without isthmus: what it added is deleted. */
  async function reset(): Promise<void> {
    await Promise.all(
      [scene.primary, scene.remote].map(async ({ name, client }) => {
        const before = [...untouched.keys()].filter((key) => key.startsWith(`${name} `)).map((key) => key.slice(name.length + 1));
        await removeAdded(client, new Set(before));
      }),
    );
  }
});

async function ready({ name, client }: Cluster): Promise<void> {
  await waitFor(`the API server of ${name}`, async () => (await client.request('GET', '/readyz')).status === 200);
}
