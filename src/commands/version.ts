// isthmus version: the version of isthmus.
import { exitCodes } from '../base/errors.ts';
import { isthmusVersion } from '../base/version.ts';
import { printResult } from './output.ts';
import type { Run } from './types.ts';

export const run: Run = async (system, args) => {
  printResult(system.terminal, args, { value: { version: isthmusVersion }, text: () => `isthmus ${isthmusVersion}\n` });
  return exitCodes.ok;
};
