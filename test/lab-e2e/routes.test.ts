// The original procedure through the built CLI, on two clusters of three real nodes: routes make pods reach each other, and go again.
import { contents, differences, settledContents } from '../e2e/state.ts';
import { assert, describe } from '../helpers/suite.ts';
import { waitFor } from '../lab/wait.ts';
import { changesOf, type Dumps, dumpAll, plannedChanges, type RoutedLab, startRoutedLab } from './routed.ts';

const long = { timeoutMs: 180_000 };

describe('routes between two clusters of real nodes', ({ test, before, after }) => {
  let routed: RoutedLab;
  let dumps: Dumps;
  let objects: ReadonlyMap<string, unknown>;

  before(async () => {
    routed = await startRoutedLab();
    objects = await settledContents(routed.lab);
    dumps = await dumpAll(routed.lab);
  });
  after(() => routed?.stop());

  test('are missed before: no pod reaches a pod of the other cluster', async () => {
    const complaints = await routed.complaints();

    const pairs = 3 * 3 * 2;
    assert.is(complaints.filter((line) => line.endsWith('no TCP')).length, pairs, complaints.join('\n'));
    assert.is(complaints.filter((line) => line.endsWith('no full-size packet')).length, pairs, complaints.join('\n'));
  });

  test('are planned from what the clusters say, without a change', async () => {
    const { stdout } = await routed.operator.isthmus('plan', '-o', 'json');

    const plan = JSON.parse(stdout) as PlanFile;
    assert.equal(
      plan.clusters.map(({ name, routes }) => [name, routes.map(({ dst, via }) => `${dst} via ${via}`).sort()]),
      [
        ['c1', ['20.1.31.128/26 via 9.111.255.152', '20.1.35.192/26 via 9.111.255.155', '20.1.47.128/26 via 9.111.255.77']],
        ['c2', ['10.1.158.192/26 via 9.111.255.129', '10.1.198.128/26 via 9.111.255.21', '10.1.43.0/26 via 9.111.255.29']],
      ],
    );
    assert.equal(changesOf(dumps, await dumpAll(routed.lab)), []);
    assert.equal(differences(objects, await contents(routed.lab)), []);
  });

  test(
    'are all there after install, and nothing else has changed on any node',
    async () => {
      await routed.install();

      assert.equal(changesOf(dumps, await dumpAll(routed.lab)), plannedChanges(routed.lab));
      const changed = differences(objects, await contents(routed.lab));
      assert.equal(
        changed.filter((line) => !line.startsWith('+')),
        [],
      );
    },
    long,
  );

  test('let every pod reach every pod both ways, with its own address and packets of full size', async () => {
    assert.equal(await routed.complaints(), []);
  });

  test(
    'are left alone by a second install',
    async () => {
      const installed = await dumpAll(routed.lab);

      const { stdout } = await routed.operator.isthmus('install', 'out');

      assert.match(stdout, /unchanged/);
      assert.equal(changesOf(installed, await dumpAll(routed.lab)), []);
    },
    long,
  );

  test(
    'are gone after uninstall: nodes and clusters are as before',
    async () => {
      await routed.operator.isthmus('uninstall', 'out');

      assert.equal(changesOf(dumps, await dumpAll(routed.lab)), []);
      let left: string[] = [];
      await waitFor('the clusters to be as before', async () => {
        left = differences(objects, await contents(routed.lab));
        return left.length === 0;
      }).catch(() => undefined);
      assert.equal(left, []);
    },
    long,
  );
});

interface PlanFile {
  readonly clusters: readonly { readonly name: string; readonly routes: readonly { readonly dst: string; readonly via: string }[] }[];
}
