// What install and uninstall did, or would do, as text.
import type { GeneratedMesh, PreviewStep, ReleaseOutcome, ReleaseResult } from '../release/types.ts';
import { describeResult } from './progress.ts';

/** Results that keep a run from being a success: what failed, was skipped because of that, or still waits. */
export function failedResults(results: readonly ReleaseResult[]): ReleaseResult[] {
  const failed: readonly ReleaseOutcome[] = ['failed', 'skipped', 'waiting'];
  return results.filter(({ outcome }) => failed.includes(outcome));
}

/** `Mesh bookinfo is installed: 2 clusters; 5 installed, 2 unchanged`, or what went wrong, where, and what to do. */
export function describeResults(generated: GeneratedMesh, results: readonly ReleaseResult[], done: 'installed' | 'removed'): string {
  const failed = failedResults(results);
  const counts = [...new Set(results.map(({ outcome }) => outcome))].map(
    (outcome) => `${results.filter((result) => result.outcome === outcome).length} ${outcome}`,
  );
  const clusters = `${generated.index.clusters.length} clusters`;
  if (failed.length === 0)
    return `Mesh ${generated.index.mesh} is ${done}: ${clusters}; ${counts.join(', ')}\n${done === 'installed' ? '\nNext: isthmus verify\n' : ''}`;
  const where = [...new Set(failed.map(({ cluster }) => cluster))].join(', ');
  return `Mesh ${generated.index.mesh} is not ${done} in ${where}: ${counts.join(', ')}. Other clusters are as they should be.\nMend what is said above and run the same command again; it goes on from here.\n`;
}

/** The commands that would run, what each would change, and the clusters that could not be looked at. */
export function describePreview(steps: readonly PreviewStep[], failed: readonly ReleaseResult[]): string {
  return [...steps.map(describeStep), ...failed.map((result) => `${describeResult(result)}\n`)].join('\n');
}

function describeStep(step: PreviewStep): string {
  const command = step.command === undefined ? '' : `  $ ${step.command}\n`;
  const diff = step.diff === '' ? '  no change\n' : step.diff;
  return `${step.cluster}  ${step.step}\n${command}${diff}`;
}
