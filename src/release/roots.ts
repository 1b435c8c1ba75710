// Compares the roots of all primaries as they are now, before the first write: between generate and install somebody may have acted.
import { shortFingerprint } from '../base/certificates.ts';
import { failure } from '../base/errors.ts';
import type { Run } from './open-run.ts';
import { rootInUse, signerProblem } from './signer.ts';

/** Fails every cluster of the run, so that nothing is written anywhere, when primaries use or would get different roots. */
export async function refuseDifferentRoots(run: Run): Promise<void> {
  const { index } = run.generated;
  if (index.ignore?.includes('ISM074')) return;
  const primaries = [...run.sessions.values()].filter(({ spec }) => spec.role === 'primary');
  const roots = await Promise.all(
    primaries.map(async ({ client, spec }) => {
      const used = await rootInUse(client, index.istio.namespace).catch(() => undefined);
      return [
        ...(used === undefined ? [] : [{ root: used, where: spec.name }]),
        ...(spec.signer === undefined ? [] : [{ root: spec.signer.root, where: spec.signer.folder }]),
      ];
    }),
  );
  const all = roots.flat();
  if (new Set(all.map(({ root }) => root)).size <= 1) return;
  const shown = all.map(({ root, where }) => `${shortFingerprint(root)} in ${where}`).join(', ');
  await failAll(run, `ISM074: the root certificates differ: ${shown}`, '`isthmus explain ISM074` tells more. Nothing was written.');
}

/**
 * Fails every cluster of the run, so that nothing is written anywhere, when the files of Secrets `cacerts` are not at hand and one of
 * the Secrets is missing or of another root.
 */
export async function refuseMissingSigners(run: Run): Promise<void> {
  if (run.options.signers !== 'expect') return;
  const problems: string[] = [];
  for (const { client, spec } of run.sessions.values()) {
    if (spec.signer === undefined) continue;
    const problem = await signerProblem(client, run.generated.index.istio.namespace, spec.signer);
    if (problem !== undefined) problems.push(`${spec.name}: ${problem}`);
  }
  if (problems.length === 0) return;
  await failAll(
    run,
    problems.join('; '),
    'It holds a private key, which no bundle carries: make it, or name the folder of `isthmus ca init` with --ca. Nothing was written.',
  );
}

async function failAll(run: Run, message: string, hint: string): Promise<void> {
  for (const { spec } of run.sessions.values())
    await run.steps.run({ cluster: spec.name, step: 'root of trust' }, () => Promise.reject(failure(message, { where: spec.name, hint })));
}
