// isthmus uninstall: takes out of the clusters what was installed, and proves that nothing is left.
import { resolve } from 'node:path';
import { exitCodes } from '../base/errors.ts';
import { readGenerated } from '../release/read.ts';
import { uninstall } from '../release/uninstall.ts';
import { parseDuration } from './duration.ts';
import { printResult } from './output.ts';
import { showProgress } from './progress.ts';
import { describeResults, failedResults } from './results.ts';
import type { Run } from './types.ts';

export const run: Run = async (system, args) => {
  const generated = await readGenerated(system.files, resolve(system.cwd, args.positionals[0] ?? 'out'));
  const progress = showProgress(system.terminal);
  const options = {
    timeoutMs: parseDuration(args.option('timeout') ?? '10m', '--timeout'),
    unlock: args.switch('unlock'),
    onProgress: progress.listener,
  };
  const results = await uninstall(generated, system, options).finally(progress.stop);
  const value = { apiVersion: 'isthmus/v1', kind: 'UninstallResult', results };
  printResult(system.terminal, args, { value, text: () => describeResults(generated, results, 'removed') });
  return failedResults(results).length > 0 ? exitCodes.failed : exitCodes.ok;
};
