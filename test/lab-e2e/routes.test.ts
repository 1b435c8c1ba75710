// The original procedure through the built CLI, on two clusters of three real nodes: routes make pods reach each other, and go again.
import { contents, differences, settledContents } from '../e2e/state.ts';
import { assert, describe } from '../helpers/suite.ts';
import { waitFor } from '../lab/wait.ts';
import { calicoChanges, changesOf, type Dumps, dumpAll, lastingChanges, plannedChanges, type RoutedLab, startRoutedLab } from './routed.ts';

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
      const ofCalico = new Set(calicoChanges(routed.lab));

      await routed.install();

      const changes = changesOf(dumps, await dumpAll(routed.lab));
      assert.equal(
        changes.filter((line) => !ofCalico.has(line)),
        plannedChanges(routed.lab),
      );
      await waitFor('Calico to follow the IPPools', async () => {
        const now = changesOf(dumps, await dumpAll(routed.lab));
        return [...ofCalico].every((line) => now.includes(line));
      });
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
    'come with IPPools, without which Calico replaces the addresses of pods; another install brings lost ones back',
    async () => {
      const pools = '/apis/crd.projectcalico.org/v1/ippools';
      await Promise.all([routed.one.client.delete(`${pools}/isthmus-c2-1`), routed.two.client.delete(`${pools}/isthmus-c1-1`)]);

      const replaced = await waitFor('Calico to follow the IPPools', async () => {
        const complaints = await routed.complaints();
        return complaints.length === 2 * 3 * 3 && complaints;
      });

      for (const line of replaced) assert.match(line, / was seen as 9\.111\.255\.\d+$/);
      await routed.operator.isthmus('install', 'out');
      await routed.untilJoined();
    },
    long,
  );

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
      const ofCalico = new Set(calicoChanges(routed.lab));

      await routed.operator.isthmus('uninstall', 'out');

      const changes = changesOf(dumps, await dumpAll(routed.lab));
      assert.equal(
        changes.filter((line) => !ofCalico.has(line)),
        [],
      );
      assert.equal(await lastingChanges(routed.lab, { dumps, objects }), []);
    },
    long,
  );
});

interface PlanFile {
  readonly clusters: readonly { readonly name: string; readonly routes: readonly { readonly dst: string; readonly via: string }[] }[];
}
