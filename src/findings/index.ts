// The table of all findings, and how one is made from it.
import { addressFindings } from './addresses.ts';
import { ambientFindings } from './ambient.ts';
import { blockFindings } from './blocks.ts';
import { controlPlaneFindings } from './control-plane.ts';
import { inputFindings } from './input.ts';
import { nodeFindings } from './nodes.ts';
import { routeFindings } from './routes.ts';
import type { Finding, FindingKind, Severity } from './types.ts';

const table = [
  ...inputFindings,
  ...addressFindings,
  ...blockFindings,
  ...nodeFindings,
  ...routeFindings,
  ...controlPlaneFindings,
  ...ambientFindings,
];

/** A code that the table has. */
export type FindingCode = (typeof table)[number]['code'];

/** Every kind of finding, in order of code. */
export const allFindingKinds: readonly FindingKind[] = table.toSorted((a, b) => (a.code < b.code ? -1 : 1));

const byCode: ReadonlyMap<string, FindingKind> = new Map(allFindingKinds.map((kind) => [kind.code, kind]));

/** The kind of a code such as `ISM010`; undefined when there is none. */
export function findingKind(code: string): FindingKind | undefined {
  return byCode.get(code);
}

/** True when the table has the code. */
export function isFindingCode(code: string): code is FindingCode {
  return byCode.has(code);
}

/** Everything of a finding but its severity, which comes from the table unless the place of use knows better. */
export interface FindingParts extends Omit<Finding, 'code' | 'severity' | 'ignored'> {
  readonly code: FindingCode;
  readonly severity?: Severity;
}

/** A finding with the severity of its code. */
export function makeFinding({ code, severity, ...rest }: FindingParts): Finding {
  return { code, severity: severity ?? byCode.get(code)?.severity ?? 'error', ...rest };
}
