// install.sh of a bundle: kubectl alone, in a network without any way out, must come to what isthmus itself installs, and take it away again.
import { helms } from '../helpers/helm.ts';
import { startIn } from '../helpers/shell.ts';
import { assert, describe } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';
import { type BundleScene, startBundleScene } from './bundle-scene.ts';
import { type BundleScript, bundleScript, type Shell, shells } from './bundle-script.ts';
import { allVersions, differences, releaseStatuses, settledContents, uids } from './state.ts';

const long = { timeoutMs: 600_000 };
const clusters = ['cluster1', 'cluster2'];

describe('install.sh of a bundle', ({ test, before, after }) => {
  let scene: BundleScene;
  let script: BundleScript;

  before(async () => {
    scene = await startBundleScene();
    script = bundleScript(scene, scene.bundle, scene.network.before);
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
        for (const cluster of clusters) await script.succeed(shell, ['uninstall', cluster]);

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

        const refused = [await script.run('dash', ['cluster1']), await script.run('dash', ['uninstall', 'cluster2'])];

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
    for (const cluster of clusters) outputs.push(await script.succeed(shell, [cluster]));
    return outputs;
  }
});
