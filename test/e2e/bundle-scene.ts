// A scene with a bundle of its mesh, and a network from which nothing but the two API servers is reached.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Enclosed, startEnclosed } from '../helpers/enclosed.ts';
import { type Scene, startScene } from './scene.ts';
import { contents, differences, expectNone, intents, settledContents } from './state.ts';

export interface BundleScene extends Scene {
  readonly network: Enclosed;
  /** The archive, in the scene's folder. */
  readonly archive: string;
  /** Folder of the unpacked archive. */
  readonly bundle: string;
  /** What the clusters held before anything was installed. */
  readonly untouched: ReadonlyMap<string, unknown>;
  /** What `isthmus install` makes. */
  readonly wanted: ReadonlyMap<string, unknown>;
  /** Waits until both clusters are as they were before anything was installed. */
  expectUntouched(): Promise<void>;
  /** Waits until both clusters hold what `isthmus install` makes. */
  expectWanted(): Promise<void>;
}

/** Generates a mesh, packs it, and sees what isthmus itself makes of it and takes away again. */
export async function startBundleScene(): Promise<BundleScene> {
  const scene = await startScene();
  const network = await startEnclosed(scene.clusters.map(({ server }) => Number(new URL(server).port)));
  await scene.writeMesh({ ilbAddress: '9.111.255.5' });
  await scene.isthmus('helm4', 'generate', '--out', 'out');
  const archive = 'mesh.isthmus.tgz';
  await scene.isthmus('helm4', 'bundle', 'out', '--out', archive);
  const bundle = join(scene.folder, 'bundle');
  mkdirSync(bundle);
  execFileSync('tar', ['-xzf', join(scene.folder, archive), '-C', bundle]);
  const untouched = await settledContents(scene);
  await scene.isthmus('helm4', 'install', 'out');
  const wanted = await intents(scene);
  await scene.isthmus('helm4', 'uninstall', 'out');
  const expectUntouched = () => expectNone('both clusters as before', async () => differences(untouched, await contents(scene)));
  await expectUntouched();
  return {
    ...scene,
    ...{ network, archive, bundle, untouched, wanted, expectUntouched },
    expectWanted: () => expectNone('the same objects', async () => differences(wanted, await intents(scene))),
    stop: async () => {
      await network.stop();
      await scene.stop();
    },
  };
}
