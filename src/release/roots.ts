// Compares the roots of all primaries as they are now, before the first write: between generate and install somebody may have acted.
import { shortFingerprint } from '../base/certificates.ts';
import { failure } from '../base/errors.ts';
import type { Run } from './open-run.ts';
import { rootInUse } from './signer.ts';

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
  for (const { spec } of run.sessions.values())
    await run.steps.run({ cluster: spec.name, step: 'root of trust' }, () =>
      Promise.reject(
        failure(`ISM074: the root certificates differ: ${shown}`, {
          where: spec.name,
          hint: '`isthmus explain ISM074` tells more. Nothing was written.',
        }),
      ),
    );
}
