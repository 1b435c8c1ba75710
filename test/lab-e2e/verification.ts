// What `isthmus verify -o json` prints, in the short form that tests compare.
import type { Outcome } from '../helpers/shell.ts';
import { assert } from '../helpers/suite.ts';

export interface VerifyOutcome {
  readonly code: number | string;
  /** `from to outcome`, with the broken layer in the place of the outcome, sorted. */
  readonly pairs: readonly string[];
  /** Checks of pods, `cluster/node cluster/node name`, sorted. */
  readonly passed: readonly string[];
  readonly failed: readonly string[];
}

interface Place {
  readonly cluster: string;
  readonly node?: string;
}

interface Verification {
  readonly pairs: readonly { readonly from: string; readonly to: string; readonly outcome: string; readonly broken?: string }[];
  readonly checks: readonly {
    readonly layer: string;
    readonly name: string;
    readonly from: Place;
    readonly to?: Place;
    readonly outcome: string;
  }[];
}

export function readVerification({ code, stdout, stderr }: Outcome): VerifyOutcome {
  assert.is(stdout.slice(0, 1), '{', stderr);
  const { pairs, checks } = JSON.parse(stdout) as Verification;
  const pods = (outcome: string) =>
    checks
      .filter((check) => check.layer === 'pods' && check.outcome === outcome)
      .map(({ from, to, name }) => `${from.cluster}/${from.node} ${to?.cluster}/${to?.node} ${name}`)
      .sort();
  return {
    code,
    pairs: pairs.map(({ from, to, outcome, broken }) => `${from} ${to} ${broken ?? outcome}`).sort(),
    passed: pods('passed'),
    failed: pods('failed'),
  };
}
