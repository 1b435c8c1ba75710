// isthmus verify: whether the mesh works, layer by layer, for each ordered pair of its clusters.
import { join, resolve } from 'node:path';
import { exitCodes } from '../base/errors.ts';
import { maxYamlBytes } from '../base/yaml.ts';
import { readGenerated } from '../release/read.ts';
import { loadMesh } from '../spec/load.ts';
import { verifyMesh } from '../verify/verify.ts';
import { parseDuration } from './duration.ts';
import { printResult } from './output.ts';
import { showProgress } from './progress.ts';
import type { Run } from './types.ts';
import { describeVerification } from './verify-text.ts';

export const run: Run = async (system, args) => {
  const generated = await readGenerated(system.files, resolve(system.cwd, args.positionals[0] ?? 'out'));
  const file = join(generated.folder, 'mesh.yaml');
  const { mesh } = loadMesh(await system.files.read(file, maxYamlBytes), file, generated.folder);
  const image = args.option('image');
  const timeoutMs = parseDuration(args.option('timeout') ?? '2m', '--timeout');
  const progress = showProgress(system.terminal);
  const input = { generated, mesh, ...(image === undefined ? {} : { image }) };
  const result = await verifyMesh(input, system, { timeoutMs, onProgress: progress.listener }).finally(progress.stop);
  printResult(system.terminal, args, {
    value: { apiVersion: 'isthmus/v1', kind: 'VerifyResult', mesh: generated.index.mesh, ...result },
    text: () => describeVerification(generated.index.mesh, result),
  });
  if (result.pairs.some(({ outcome }) => outcome === 'failed')) return exitCodes.findings;
  return result.left.length > 0 ? exitCodes.failed : exitCodes.ok;
};
