// isthmus explain: what a finding means and what to do about it.
import { exitCodes, usageError } from '../base/errors.ts';
import { allFindingKinds } from '../findings/index.ts';
import type { FindingKind } from '../findings/types.ts';
import { printResult, table } from './output.ts';
import type { Run } from './types.ts';

export const run: Run = async (system, args) => {
  const code = args.positionals[0];
  if (code === undefined) {
    printResult(system.terminal, args, {
      value: allFindingKinds,
      text: () => table(allFindingKinds.map((kind) => [kind.code, kind.severity, kind.title])),
    });
    return exitCodes.ok;
  }
  const kind = allFindingKinds.find((one) => one.code === code.toUpperCase());
  if (kind === undefined) throw usageError(`there is no finding ${code}`, { hint: '`isthmus explain` lists them all.' });
  printResult(system.terminal, args, { value: kind, text: () => explain(kind) });
  return exitCodes.ok;
};

function explain(kind: FindingKind): string {
  return `${kind.code}  ${kind.severity}  ${kind.title}\n\n${kind.why}\n\nWhat to do: ${kind.mend}\n`;
}
