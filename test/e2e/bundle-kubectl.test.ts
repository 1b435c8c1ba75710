// install.sh of a bundle: kubectl alone, in a network without any way out, must come to what isthmus itself installs, and take it away again.
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeObject } from '../../src/base/objects.ts';
import { helms } from '../helpers/helm.ts';
import { type Outcome, startIn } from '../helpers/shell.ts';
import { assert, describe } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';
import { allObjects } from '../lab/objects.ts';
import { type BundleScene, startBundleScene } from './bundle-scene.ts';
import { allVersions, differences, releaseStatuses, settledContents } from './state.ts';

const long = { timeoutMs: 600_000 };
const shells = ['dash', 'busybox'] as const;
type Shell = (typeof shells)[number];

/** All that the script may use besides kubectl. */
const programs = ['sha256sum', 'cat', 'sleep'];
const clusters = ['cluster1', 'cluster2'];

describe('install.sh of a bundle', ({ test, before, after }) => {
  let scene: BundleScene;

  before(async () => {
    scene = await startBundleScene();
  });
  after(() => scene?.stop());

  test('runs where nothing leads out', async () => {
    const { outcome } = startIn({ folder: scene.folder, env: {}, before: scene.network.before }, [toolPath('ip'), '-brief', 'link']);

    const { stdout } = await outcome;

    assert.match(stdout, /^lo .*\n$/);
  });

  for (const shell of shells) {
    test(
      `makes in ${shell} the same objects as isthmus, and writes nothing when it runs again`,
      async () => {
        const outputs = await installBoth(shell);

        await scene.expectWanted();
        assert.not.match(outputs.join(''), /eyJ[\w-]+\./, 'a token in its output');
        await settledContents(scene);
        const versions = await allVersions(scene);
        await installBoth(shell);
        assert.equal(differences(versions, await allVersions(scene)), []);
      },
      long,
    );

    test(
      `takes them away again in ${shell}`,
      async () => {
        for (const cluster of clusters) await succeed(shell, ['uninstall', cluster]);

        await scene.expectUntouched();
      },
      long,
    );
  }

  for (const helm of helms) {
    test(
      `leaves objects that isthmus takes over with ${helm} without making one anew`,
      async () => {
        await installBoth('dash');
        const before = await uids(scene);

        await scene.isthmus(helm, 'install', 'out');

        const remade = differences(before, await uids(scene)).filter((line) => !line.startsWith('+'));
        assert.equal(remade, []);
        assert.equal([...new Set((await releaseStatuses(scene)).values())], ['deployed']);
        await scene.expectWanted();
      },
      long,
    );

    test(
      `refuses what ${helm} has installed, changes nothing, and says why`,
      async () => {
        await settledContents(scene);
        const before = await allVersions(scene);

        const refused = [await run('dash', ['cluster1']), await run('dash', ['uninstall', 'cluster2'])];

        for (const { code, stderr } of refused) {
          assert.is(code, 1);
          assert.match(stderr, /helm installed \S+ in namespace \S+ and keeps its own record/);
        }
        assert.equal(differences(before, await allVersions(scene)), []);
        await scene.isthmus(helm, 'uninstall', 'out');
        await scene.expectUntouched();
      },
      long,
    );
  }

  async function installBoth(shell: Shell): Promise<string[]> {
    const outputs: string[] = [];
    for (const cluster of clusters) outputs.push(await succeed(shell, [cluster]));
    return outputs;
  }

  async function succeed(shell: Shell, args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await run(shell, args);
    assert.is(code, 0, `install.sh ${args.join(' ')}\n${stdout}${stderr}`);
    return stdout + stderr;
  }

  function run(shell: Shell, args: readonly string[]): Promise<Outcome> {
    const env = { PATH: onlyKubectl(shell), HOME: scene.folder, KUBECONFIG: scene.clusters.map(({ kubeconfig }) => kubeconfig).join(':') };
    const interpreter = shell === 'dash' ? [toolPath('dash')] : [toolPath('busybox'), 'sh'];
    const command = [...interpreter, join(scene.bundle, 'install.sh'), ...args];
    return startIn({ folder: scene.folder, env, before: scene.network.before }, command).outcome;
  }

  function onlyKubectl(shell: Shell): string {
    const bin = join(scene.folder, `only-kubectl-${shell}`);
    if (mkdirSync(bin, { recursive: true }) === undefined) return bin;
    symlinkSync(toolPath('kubectl'), join(bin, 'kubectl'));
    for (const program of programs) symlinkSync(shell === 'dash' ? join('/usr/bin', program) : toolPath('busybox'), join(bin, program));
    return bin;
  }
});

/** The UID of every object of all clusters. */
async function uids(scene: BundleScene): Promise<Map<string, unknown>> {
  const all = scene.clusters.map(async ({ name, client }) =>
    [...(await allObjects(client))].map(([key, { metadata }]: [string, KubeObject]) => [`${name} ${key}`, metadata.uid] as const),
  );
  return new Map((await Promise.all(all)).flat());
}
