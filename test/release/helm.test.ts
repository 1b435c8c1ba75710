// Finding helm, its argument lists (as real helms take them), and what its errors become.
import { IsthmusError } from '../../src/base/errors.ts';
import { findHelm } from '../../src/release/helm.ts';
import {
  historyArgs,
  listArgs,
  manifestArgs,
  rollbackArgs,
  shellQuote,
  templateArgs,
  uninstallArgs,
  upgradeArgs,
} from '../../src/release/helm-args.ts';
import type { ExecResult } from '../../src/system/types.ts';
import { matchGolden } from '../helpers/golden.ts';
import { helms, runHelm } from '../helpers/helm.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { fakeSystem } from '../helpers/system.ts';

const target = { context: 'icp-1', kubeconfig: '/home/me/.kube/config', namespace: 'istio-system' };
const flags3 = new Set<string>();
const flags4 = new Set(['--server-side', '--force-conflicts', '--rollback-on-failure']);
const upgrade = { release: 'istio-remote', chart: '/home/me/out/clusters/cluster2/istio-remote' };

const commands: Readonly<Record<string, readonly string[]>> = {
  upgrade: upgradeArgs(target, upgrade, flags4),
  'upgrade, values on stdin': upgradeArgs(target, { ...upgrade, valuesFromInput: true }, flags4),
  'upgrade, conflicts forced, helm 4': upgradeArgs(target, { ...upgrade, forceConflicts: true }, flags4),
  'upgrade, conflicts forced, helm 3': upgradeArgs(target, { ...upgrade, forceConflicts: true }, flags3),
  'upgrade, several kubeconfigs': upgradeArgs({ ...target, kubeconfig: undefined }, upgrade, flags4),
  uninstall: uninstallArgs(target, 'istio-remote'),
  rollback: rollbackArgs(target, 'istio-remote', 3),
  list: listArgs(target),
  history: historyArgs(target, 'istio-remote'),
  manifest: manifestArgs(target, 'istio-remote'),
  template: templateArgs(target, { name: 'istio-remote', chart: upgrade.chart }, 'v1.34.4'),
};

const ok = (stdout: string): ExecResult => ({ code: 0, stdout, stderr: '' });

function system(version: ExecResult, env: Record<string, string> = {}) {
  return fakeSystem({
    env,
    exec: ({ args }) => {
      if (args[0] === 'version') return version;
      if (args[1] === '--help') return ok('      --server-side string   must be "true"\n  -i, --install   if a release\n');
      return {
        code: 1,
        stdout: '',
        stderr: 'level=ERROR msg="twice"\nError: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress\n',
      };
    },
  });
}

async function refusal(body: () => unknown): Promise<IsthmusError> {
  const error = await thrownBy(body);
  assert.ok(error instanceof IsthmusError, String(error));
  return error;
}

describe('helm', ({ test }) => {
  test('is asked for in full: context, namespace, and nothing that is left to the environment', () => {
    const text = Object.entries(commands).map(([name, args]) => `${name}\n  helm ${args.join(' ')}\n`);

    matchGolden('release/helm-commands.txt', text.join(''));
  });

  for (const helm of helms)
    test(`of either major knows every flag: ${helm}`, async () => {
      const known = helm === 'helm3' ? Object.entries(commands).filter(([name]) => !name.includes('helm 4')) : Object.entries(commands);

      for (const [name, args] of known) {
        const { code, stderr } = await runHelm(helm, [...args, '--help']);

        assert.is(code, 0, `${name}: ${stderr}`);
      }
    });

  test('commands can be pasted into a shell', () => {
    assert.is(shellQuote(['helm', "a'b", '$(id)', 'x=1', '']), "helm 'a'\\''b' '$(id)' x=1 ''");
  });

  for (const [text, version] of [
    ['v4.3.1', '4.3.1'],
    ['v4.3', '4.3'],
    ['v3.22', '3.22'],
    ['v3.14.0', '3.14.0'],
    ['v4.0+unreleased', '4.0'],
  ] as const)
    test(`is taken in version ${text}`, async () => {
      const helm = await findHelm(system(ok(text)));

      assert.is(helm.version, version);
      assert.ok(helm.flags.has('--server-side'));
      assert.not.ok(helm.flags.has('--force-conflicts'));
    });

  test('is refused when it is too old, or something else', async () => {
    assert.is(
      (await refusal(() => findHelm(system(ok('v3.13.9'))))).message,
      'helm is Helm 3.13.9; 3.14 or later is needed'.replace('3.13', 'v3.13'),
    );
    assert.match((await refusal(() => findHelm(system(ok('v2.17.0'))))).message, 'is Helm v2.17.0');
    const tiller = { code: 1, stdout: '', stderr: 'Error: could not find tiller\n' };
    assert.is((await refusal(() => findHelm(system(tiller)))).message, 'helm is not Helm 3.14 or later: Error: could not find tiller');
  });

  test('is the one that ISTHMUS_HELM names, with homes of its own that go away', async () => {
    const fake = system(ok('v4.3.1'), { ISTHMUS_HELM: '/opt/helm', TMPDIR: '/scratch' });
    fake.written.set('/scratch/isthmus-helm-00000000-0000-4000-8000-000000000001/cache/x', '');

    const helm = await findHelm(fake);
    await helm.close();

    assert.is(fake.commands[0]?.program, '/opt/helm');
    assert.equal(fake.commands[0]?.options.env?.['HELM_CACHE_HOME'], '/scratch/isthmus-helm-00000000-0000-4000-8000-000000000001/cache');
    assert.is(fake.commands[0]?.options.env?.['HELM_NO_PLUGINS'], '1');
    assert.equal([...fake.written.keys()], []);
  });

  test('errors keep its last words, the raw text, and say what to do', async () => {
    const helm = await findHelm(system(ok('v4.3.1')));

    const error = await refusal(() => helm.run(['upgrade', 'x'], { where: 'cluster1' }));

    assert.is(error.message, 'helm upgrade failed: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress');
    assert.match(String(error.hint), '--unlock');
    assert.match(String(error.cause), 'level=ERROR');
    assert.is(error.where, 'cluster1');
  });
});
