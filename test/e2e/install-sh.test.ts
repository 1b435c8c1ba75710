// install.sh of a generated folder: helm alone must come to what isthmus itself installs.
import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KubeObject } from '../../src/base/objects.ts';
import { type Helm, helms } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';
import { type Scene, startScene } from './scene.ts';
import { contents, differences, expectNone, intents, releaseStatuses, settledContents } from './state.ts';

const run = promisify(execFile);
const long = { timeoutMs: 400_000 };

/** The script keeps namespaces, with helm's marks on them and what Kubernetes itself puts into every one. */
const ofNamespace = /^[+~] \S+ (Namespace \S+|ConfigMap \S+\/kube-root-ca\.crt|ServiceAccount \S+\/default)$/;

/** All that the script may use besides helm. */
const programs = ['sh', 'cat', 'dirname', 'grep', 'sleep'];

describe('install.sh', ({ test, before, after }) => {
  let scene: Scene;
  let untouched: ReadonlyMap<string, unknown>;
  let wanted: ReadonlyMap<string, unknown>;

  before(async () => {
    scene = await startScene();
    await scene.writeMesh({ ilbAddress: '9.111.255.9' });
    await scene.isthmus('helm4', 'generate', '--out', 'out');
    untouched = await settledContents(scene);
    await scene.isthmus('helm4', 'install', 'out');
    wanted = await intents(scene);
    await scene.isthmus('helm4', 'uninstall', 'out');
    await expectNone('both clusters as before', async () => differences(untouched, await contents(scene)));
  });
  after(() => scene?.stop());

  for (const helm of helms) {
    test(
      `makes the same objects with nothing but ${helm}`,
      async () => {
        const output = await installSh(helm, 'install');

        await expectNone('the same objects', async () => differences(wanted, await intents(scene)));
        const unfinished = [...(await releaseStatuses(scene))].filter(([, status]) => status !== 'deployed');
        assert.equal(unfinished, []);
        assert.not.match(output, /eyJ[\w-]+\./, 'a token in its output');
      },
      long,
    );

    test(
      `takes them away again with nothing but ${helm}`,
      async () => {
        await installSh(helm, 'uninstall');

        await expectNone('nothing left but namespaces', async () =>
          differences(untouched, await contents(scene)).filter((line) => !ofNamespace.test(line)),
        );
        assert.equal(await lostLabels(), []);
      },
      long,
    );
  }

  async function installSh(helm: Helm, command: 'install' | 'uninstall'): Promise<string> {
    const bin = join(scene.folder, `only-${helm}-${command}`);
    mkdirSync(bin);
    for (const program of programs) symlinkSync(toolFrom(program), join(bin, program));
    symlinkSync(toolPath(helm), join(bin, 'helm'));
    const kubeconfig = [scene.primary, scene.remote].map((cluster) => cluster.kubeconfig).join(':');
    const { stdout, stderr } = await run(join(scene.folder, 'out', 'install.sh'), [command], {
      env: { PATH: bin, HOME: scene.folder, KUBECONFIG: kubeconfig },
    });
    return stdout + stderr;
  }

  /** Labels that a namespace of the primary had before isthmus came, and has no more. */
  async function lostLabels(): Promise<string[]> {
    const name = 'cluster1 Namespace istio-system';
    const labels = (object: unknown) => (object as KubeObject).metadata.labels ?? {};
    const now = labels((await contents(scene)).get(name));
    return Object.keys(labels(untouched.get(name))).filter((label) => now[label] === undefined);
  }
});

function toolFrom(program: string): string {
  return program === 'sh' ? toolPath('dash') : join('/usr/bin', program);
}
