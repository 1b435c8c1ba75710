// The original procedure through the built CLI, on two clusters of three real nodes: routes make pods reach each other, and go again.

import { outlive } from '../e2e/kills.ts';
import { contents, differences, settledContents } from '../e2e/state.ts';
import { assert, describe } from '../helpers/suite.ts';
import { waitFor } from '../lab/wait.ts';
import { calicoChanges, changesOf, type Dumps, dumpAll, expectUntouched, plannedChanges } from './changes.ts';
import { nodeOf, verifyInterrupted, verifyPods } from './faults-scene.ts';
import { type RoutedLab, startRoutedLab } from './routed.ts';
import { readVerification } from './verification.ts';

const long = { timeoutMs: 180_000 };
/** Pairs of nodes of different clusters, both ways. */
const pairs = 2 * 3 * 3;

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

  const verify = async () => readVerification(await routed.operator.start('verify', 'out', '-o', 'json').outcome);

  /** Changes on the nodes without those by which Calico answers ours. */
  const ownChanges = async () => {
    const ofCalico = new Set(calicoChanges(routed.lab));
    return changesOf(dumps, await dumpAll(routed.lab)).filter((line) => !ofCalico.has(line));
  };

  test('are missed before: no pod reaches a pod of the other cluster', async () => {
    const complaints = await routed.complaints();

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

  test('are named by verify as the first broken layer where nothing is installed', async () => {
    await routed.operator.isthmus('generate', '--out', 'out');

    const { code, pairs: found } = await verify();

    assert.is(code, 3);
    assert.equal(found, ['c1 c2 routes', 'c2 c1 routes']);
  });

  test(
    'are all there after install, and nothing else has changed on any node',
    async () => {
      await routed.operator.isthmus('install', 'out');

      assert.equal(await ownChanges(), plannedChanges(routed.lab));
      const gone = differences(objects, await contents(routed.lab)).filter((line) => !line.startsWith('+'));
      assert.equal(gone, []);
      await waitFor('Calico to follow the IPPools', async () => {
        const changes = changesOf(dumps, await dumpAll(routed.lab));
        return calicoChanges(routed.lab).every((line) => changes.includes(line));
      });
    },
    long,
  );

  test('let every pod reach every pod both ways, with its own address and packets of full size', async () => {
    assert.equal(await routed.complaints(), []);
  });

  test(
    'pass verify, which changes nothing but the Lease',
    async () => {
      const installed = await settledContents(routed.lab);

      const { code, pairs: found, failed, passed } = await verify();

      assert.is(code, 0, failed.join('\n'));
      assert.equal(found, ['c1 c2 passed', 'c2 c1 passed']);
      assert.is(passed.length, pairs * 4, passed.join('\n'));
      assert.equal(differences(installed, await settledContents(routed.lab)), []);
    },
    long,
  );

  test(
    'are not to blame for addresses that are replaced and links too narrow, which verify names',
    async () => {
      const [masked, narrow] = [nodeOf(routed, 'c1-n1').machine, nodeOf(routed, 'c2-n2').machine];
      const masquerade = ['POSTROUTING', '-s', '10.1.0.0/16', '-d', '20.1.0.0/16', '-j', 'MASQUERADE'];
      await masked.run('iptables', '-t', 'nat', '-A', ...masquerade);
      await narrow.run('ip', 'link', 'set', 'eth0', 'mtu', '1300');

      const { code, pairs: found, failed } = await verify();

      await masked.run('iptables', '-t', 'nat', '-D', ...masquerade);
      await narrow.run('ip', 'link', 'set', 'eth0', 'mtu', '1500');
      assert.is(code, 3);
      assert.equal(found, ['c1 c2 pods', 'c2 c1 pods']);
      const nodes = ['n1', 'n2', 'n3'];
      const expected = [
        ...nodes.map((node) => `c1/c1-n1 c2/c2-${node} source address`),
        ...nodes.map((node) => `c1/c1-${node} c2/c2-n2 full-size packets`),
        ...nodes.map((node) => `c2/c2-n2 c1/c1-${node} full-size packets`),
      ];
      assert.equal(failed, expected.sort());
    },
    long,
  );

  test(
    'are verified without a trace: pods are removed after Ctrl-C, and those of a run that was killed the next time',
    async () => {
      const interrupted = await verifyInterrupted(routed, 'SIGINT');
      assert.is((await interrupted.outcome).code, 130);
      assert.equal(await verifyPods(routed), []);

      const killed = await verifyInterrupted(routed, 'SIGKILL');
      assert.ok((await verifyPods(routed)).length > 0);
      await outlive(killed, routed.lab);

      const { code, failed } = await verify();
      assert.is(code, 0, failed.join('\n'));
      assert.equal(await verifyPods(routed), []);
    },
    long,
  );

  test(
    'come with IPPools, without which Calico replaces the addresses of pods; another install brings lost ones back',
    async () => {
      const pools = '/apis/crd.projectcalico.org/v1/ippools';
      await Promise.all([routed.one.client.delete(`${pools}/isthmus-c2-1`), routed.two.client.delete(`${pools}/isthmus-c1-1`)]);

      const replaced = await waitFor('Calico to follow the IPPools', async () => {
        const complaints = await routed.complaints();
        return complaints.length === pairs && complaints;
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
      await routed.operator.isthmus('uninstall', 'out');

      assert.equal(await ownChanges(), []);
      await expectUntouched(routed.lab, { dumps, objects });
    },
    long,
  );
});

interface PlanFile {
  readonly clusters: readonly { readonly name: string; readonly routes: readonly { readonly dst: string; readonly via: string }[] }[];
}
