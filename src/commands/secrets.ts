// isthmus secrets: rotates the tokens that primaries hold of other clusters.
import { resolve } from 'node:path';
import { exitCodes } from '../base/errors.ts';
import { readGenerated } from '../release/read.ts';
import { rotateSecrets } from '../release/rotate.ts';
import type { ReleaseResult } from '../release/types.ts';
import { parseDuration } from './duration.ts';
import { printResult } from './output.ts';
import { showProgress } from './progress.ts';
import { failedResults } from './results.ts';
import type { Run } from './types.ts';

export const run: Run = async (system, args) => {
  const generated = await readGenerated(system.files, resolve(system.cwd, args.positionals[1] ?? 'out'));
  const progress = showProgress(system.terminal);
  const clusters = args.options('cluster');
  const options = {
    timeoutMs: parseDuration(args.option('timeout') ?? '10m', '--timeout'),
    acceptLoss: args.switch('acceptLoss'),
    onProgress: progress.listener,
    ...(clusters.length === 0 ? {} : { clusters }),
  };
  const results = await rotateSecrets(generated, system, options).finally(progress.stop);
  const value = { apiVersion: 'isthmus/v1', kind: 'RotationResult', results };
  printResult(system.terminal, args, { value, text: () => describe(results) });
  return failedResults(results).length > 0 ? exitCodes.failed : exitCodes.ok;
};

function describe(results: readonly ReleaseResult[]): string {
  const failed = failedResults(results);
  if (failed.length === 0) {
    const rotated = results.filter(({ step }) => step === 'old token').map(({ cluster }) => cluster);
    return `Tokens are rotated: ${rotated.join(', ')}; the old ones are revoked\n`;
  }
  const where = [...new Set(failed.map(({ cluster }) => cluster))].join(', ');
  return `Tokens are not all rotated: ${where}. A token that is not revoked stays valid.\nMend what is said above and run the same command again; it goes on from here.\n`;
}
