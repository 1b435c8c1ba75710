// One run over all clusters: its steps, what became of them, and what must not start because something before it failed.
import { IsthmusError } from '../base/errors.ts';
import type { Clock } from '../system/types.ts';
import type { ProgressListener, ReleaseOutcome, ReleaseResult } from './types.ts';

/** What a step reports about itself. */
export interface StepOutcome {
  readonly outcome: ReleaseOutcome;
  readonly message?: string;
  readonly hint?: string;
}

export interface StepName {
  readonly cluster: string;
  /** `route-installer`, `namespace istio-system`, `remote secret istio-remote-secret-cluster2`. */
  readonly step: string;
  /** Clusters whose earlier failures keep this step from starting; its own when absent. */
  readonly needs?: readonly string[];
}

export interface Steps {
  readonly results: readonly ReleaseResult[];
  /** Runs a step and records what became of it. An IsthmusError is a failed step; anything else is a bug and is thrown. */
  run(name: StepName, body: (say: (text: string) => void) => Promise<StepOutcome>): Promise<ReleaseResult>;
  /** The first step that failed in one of these clusters. */
  failedIn(clusters: readonly string[]): ReleaseResult | undefined;
}

export function createSteps(clock: Clock, onProgress: ProgressListener = () => undefined): Steps {
  const results: ReleaseResult[] = [];
  const failedIn = (clusters: readonly string[]) =>
    results.find(({ outcome, cluster }) => outcome === 'failed' && clusters.includes(cluster));
  const finish = (result: ReleaseResult) => {
    results.push(result);
    onProgress({ type: 'end', result });
    return result;
  };
  return {
    results,
    failedIn,
    run: async ({ cluster, step, needs = [cluster] }, body) => {
      const before = failedIn(needs);
      if (before !== undefined) return finish({ cluster, step, outcome: 'skipped', seconds: 0, message: skippedText(before, cluster) });
      const start = clock.now().getTime();
      onProgress({ type: 'start', cluster, step });
      const say = (text: string) => onProgress({ type: 'progress', cluster, step, text });
      const outcome = await body(say).catch(failedOutcome);
      return finish({ cluster, step, seconds: (clock.now().getTime() - start) / 1000, ...outcome });
    },
  };
}

function skippedText(before: ReleaseResult, cluster: string): string {
  return `not started, because ${before.step}${before.cluster === cluster ? '' : ` in ${before.cluster}`} failed`;
}

function failedOutcome(error: unknown): StepOutcome {
  if (!(error instanceof IsthmusError)) throw error;
  return { outcome: 'failed', message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
}
