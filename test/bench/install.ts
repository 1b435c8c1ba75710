// What a second install of an installed mesh costs: calls of helm, and writes.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startScene } from '../e2e/scene.ts';
import { allVersions, differences, settledContents } from '../e2e/state.ts';
import { toolPath } from '../helpers/tools.ts';
import { formatSeconds, type Row } from './measure.ts';

export async function benchInstall(): Promise<Row[]> {
  const scene = await startScene();
  try {
    await scene.writeMesh();
    await scene.isthmus('helm4', 'generate', '--out', 'out');
    const first = await seconds(() => scene.isthmus('helm4', 'install', 'out'));
    const log = countHelm(scene.folder);
    await settledContents(scene);
    const before = await allVersions(scene);

    const again = await seconds(() => scene.isthmus('helm4', 'install', 'out'));

    const writes = differences(before, await allVersions(scene)).length;
    const calls = readFileSync(log, 'utf8').split('\n').length - 1;
    return [
      {
        what: 'install again, nothing to do, 2 clusters',
        measured: `${formatSeconds(again)}, ${calls} helm calls, ${writes} writes`,
        peer: `first install ${formatSeconds(first)}`,
        budget: 'at most 5 helm calls a cluster, no write',
        met: calls <= 10 && writes === 0,
      },
    ];
  } finally {
    await scene.stop();
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** Puts a script in the place of helm that notes each call and then is helm. */
function countHelm(folder: string): string {
  const log = join(folder, 'helm-calls');
  writeFileSync(log, '');
  const helm = join(folder, 'helm4', 'helm');
  rmSync(helm);
  writeFileSync(helm, `#!/bin/sh\necho call >>'${log}'\nexec '${toolPath('helm4')}' "$@"\n`, { mode: 0o755 });
  return log;
}
