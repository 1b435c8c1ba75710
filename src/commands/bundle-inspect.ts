// isthmus bundle inspect: what is in a bundle, once it was checked.
import { resolve } from 'node:path';
import { exitCodes } from '../base/errors.ts';
import { readBundle } from '../bundle/read.ts';
import { describeBundle, summarizeBundle } from './bundle-text.ts';
import { printResult } from './output.ts';
import type { Run } from './types.ts';

export const run: Run = async (system, args) => {
  const file = args.positionals[0] ?? '';
  const path = resolve(system.cwd, file);
  const bundle = await readBundle(system.files, path);
  const bytes = await system.files.size(path);
  printResult(system.terminal, args, {
    value: summarizeBundle(bundle, { file, bytes }),
    text: () => describeBundle(bundle, { file, bytes }),
  });
  return exitCodes.ok;
};
