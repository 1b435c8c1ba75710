// isthmus bundle install: the archive alone, in a network without any way out, must come to what isthmus install makes.
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { KubeObject } from '../../src/base/objects.ts';
import { type Helm, helms } from '../helpers/helm.ts';
import { isthmusCommand, type Outcome, startIn, succeeded } from '../helpers/shell.ts';
import { assert, describe } from '../helpers/suite.ts';
import { type BundleScene, startBundleScene } from './bundle-scene.ts';
import { environment, objectAt } from './scene.ts';
import { allVersions, differences, releaseStatuses, settledContents } from './state.ts';

const long = { timeoutMs: 600_000 };
const keeper = '/apis/apps/v1/namespaces/isthmus-system/daemonsets/route-installer-keeper';

interface DaemonSet extends KubeObject {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } & object } };
}

describe('isthmus bundle install', ({ test, before, after }) => {
  let scene: BundleScene;

  before(async () => {
    scene = await startBundleScene();
  });
  after(() => scene?.stop());

  for (const helm of helms) {
    test(
      `makes with ${helm} what isthmus install makes, and writes nothing when it runs again`,
      async () => {
        await bundleInstall(helm);

        await scene.expectWanted();
        assert.equal([...new Set((await releaseStatuses(scene)).values())], ['deployed']);
        await settledContents(scene);
        const versions = await allVersions(scene);
        await bundleInstall(helm);
        assert.equal(differences(versions, await allVersions(scene)), []);
      },
      long,
    );

    test(
      `takes images from a mirror with ${helm}, and leaves no file behind`,
      async () => {
        const { stderr } = await bundleInstall(helm, '--registry', 'mirror.corp:5000/istio', '--pull-secret', 'regcred');

        for (const cluster of scene.clusters) {
          const { spec } = ((await objectAt(cluster, keeper)) as DaemonSet).spec.template;
          assert.is(spec.containers[0]?.image, 'mirror.corp:5000/istio/proxyv2:1.30.3');
          assert.equal('imagePullSecrets' in spec && spec.imagePullSecrets, [{ name: 'regcred' }]);
        }
        assert.match(stderr, 'set its global.hub to mirror.corp:5000/istio\n');
        assert.equal(
          readdirSync(tmpdir()).filter((name) => name.startsWith('isthmus-bundle-')),
          [],
        );
        await scene.isthmus(helm, 'uninstall', 'out');
        await scene.expectUntouched();
      },
      long,
    );
  }

  function bundleInstall(helm: Helm, ...options: readonly string[]): Promise<Outcome> {
    const shell = { folder: scene.folder, env: environment(scene.folder, helm, scene.clusters), before: scene.network.before };
    return succeeded(startIn(shell, isthmusCommand('bundle', 'install', scene.archive, ...options)), 'isthmus bundle install');
  }
});
