// isthmus verify on real nodes: before, after, with each kind of fault by its name, and without a trace.
import { once } from 'node:events';
import { differences, settledContents } from '../e2e/state.ts';
import type { Outcome } from '../helpers/shell.ts';
import { assert, describe } from '../helpers/suite.ts';
import { meshShape } from '../lab/nodes/shape.ts';
import { waitFor } from '../lab/wait.ts';
import { type RoutedLab, startRoutedLab } from './routed.ts';

const long = { timeoutMs: 240_000 };

describe('isthmus verify on real nodes', ({ test, before, after }) => {
  let routed: RoutedLab;

  before(async () => {
    routed = await startRoutedLab({ shape: meshShape({ clusters: 2, nodes: 2 }) });
    await routed.operator.isthmus('generate', '--out', 'out');
  });
  after(() => routed?.stop());

  const verify = () => routed.operator.start('verify', 'out', '-o', 'json').outcome;

  test(
    'names the routes as the first broken layer where nothing is installed',
    async () => {
      const { code, pairs } = readOutcome(await verify());

      assert.is(code, 3);
      assert.equal(pairs, ['c1 c2 routes', 'c2 c1 routes']);
    },
    long,
  );

  test(
    'passes after install, and changes nothing but the Lease',
    async () => {
      await routed.install();
      const objects = await settledContents(routed.lab);

      const { code, pairs, failed, passed } = readOutcome(await verify());

      assert.is(code, 0, failed.join('\n'));
      assert.equal(pairs, ['c1 c2 passed', 'c2 c1 passed']);
      assert.is(passed.length, 2 * 2 * 2 * 4, passed.join('\n'));
      assert.equal(probeLines(differences(objects, await settledContents(routed.lab))), []);
    },
    long,
  );

  test(
    'names the pods whose address is replaced, and the packets that are too large for a link',
    async () => {
      const [masked, narrow] = [machineOf(routed, 'c1-n1'), machineOf(routed, 'c2-n2')];
      const masquerade = ['POSTROUTING', '-s', '10.1.0.0/16', '-d', '20.1.0.0/16', '-j', 'MASQUERADE'];
      await masked.run('iptables', '-t', 'nat', '-A', ...masquerade);
      await narrow.run('ip', 'link', 'set', 'eth0', 'mtu', '1300');

      const { code, pairs, failed } = readOutcome(await verify());

      await masked.run('iptables', '-t', 'nat', '-D', ...masquerade);
      await narrow.run('ip', 'link', 'set', 'eth0', 'mtu', '1500');
      assert.is(code, 3);
      assert.equal(pairs, ['c1 c2 pods', 'c2 c1 pods']);
      assert.equal(failed, [
        'c1-n1 c2-n1 source address',
        'c1-n1 c2-n2 full-size packets',
        'c1-n1 c2-n2 source address',
        'c1-n2 c2-n2 full-size packets',
        'c2-n2 c1-n1 full-size packets',
        'c2-n2 c1-n2 full-size packets',
      ]);
    },
    long,
  );

  test(
    'removes its pods after Ctrl-C, and those of a run that was killed the next time',
    async () => {
      const interrupted = await startUntilPods(routed);
      interrupted.child.kill('SIGINT');
      assert.is((await interrupted.outcome).code, 130);
      assert.equal(await probePods(routed), []);

      const killed = await startUntilPods(routed);
      killed.child.kill('SIGKILL');
      await once(killed.child, 'close');
      assert.ok((await probePods(routed)).length > 0);

      const { code, failed } = readOutcome(await verify());
      assert.is(code, 0, failed.join('\n'));
      assert.equal(await probePods(routed), []);
    },
    long,
  );
});

function machineOf({ one, two }: RoutedLab, name: string) {
  const machine = (one.nodes.get(name) ?? two.nodes.get(name))?.machine;
  if (machine === undefined) throw new Error(`there is no node ${name}`);
  return machine;
}

async function startUntilPods(routed: RoutedLab) {
  const running = routed.operator.start('verify', 'out');
  await waitFor('probe pods', async () => (await probePods(routed)).length > 0);
  return running;
}

async function probePods({ lab }: RoutedLab): Promise<string[]> {
  const path = '/api/v1/namespaces/isthmus-system/pods?labelSelector=app.kubernetes.io%2Fname%3Disthmus-verify';
  const lists = await Promise.all(lab.clusters.map(({ client }) => client.list(path)));
  return lists.flat().map(({ metadata }) => metadata.name);
}

/** Changes of objects without the Lease, which says who was last at work, and without what the cluster notes about itself. */
function probeLines(changes: readonly string[]): string[] {
  return changes.filter((line) => !/ (Lease|Event) /.test(line));
}

interface Verification {
  readonly pairs: readonly { readonly from: string; readonly to: string; readonly outcome: string; readonly broken?: string }[];
  readonly checks: readonly {
    readonly layer: string;
    readonly name: string;
    readonly from: { readonly node?: string };
    readonly to?: { readonly node?: string };
    readonly outcome: string;
  }[];
}

/** The pairs as `from to outcome`, with the broken layer in the place of the outcome; checks of the pods as `from to name`. */
function readOutcome({ code, stdout, stderr }: Outcome) {
  assert.is(stdout.slice(0, 1), '{', stderr);
  const { pairs, checks } = JSON.parse(stdout) as Verification;
  const pods = (outcome: string) =>
    checks
      .filter((check) => check.layer === 'pods' && check.outcome === outcome)
      .map(({ from, to, name }) => `${from.node} ${to?.node} ${name}`)
      .sort();
  return {
    code,
    pairs: pairs.map(({ from, to, outcome, broken }) => `${from} ${to} ${broken ?? outcome}`),
    passed: pods('passed'),
    failed: pods('failed'),
  };
}
