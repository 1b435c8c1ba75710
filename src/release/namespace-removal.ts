// Gives a namespace back: our labels and annotations go; the namespace itself only when isthmus made it and nothing else lives there.
import * as z from 'zod';
import { leaseName } from './lease.ts';
import { hasOurFields, isCreatedByUs, readNamespace, stripNamespace } from './namespaces.ts';
import type { Run } from './open-run.ts';
import type { StepOutcome } from './run.ts';
import type { Session } from './session.ts';

const goneMs = 60_000;
const pollMs = 1_000;
const shownObjects = 5;

/** What Kubernetes and Istio put into every namespace, and our own Lease. */
const everywhere: ReadonlySet<string> = new Set([
  'configmaps/kube-root-ca.crt',
  'configmaps/istio-ca-root-cert',
  'configmaps/istio-ca-crl',
  'serviceaccounts/default',
  `leases/${leaseName}`,
]);

const Owned = z.object({
  metadata: z.object({
    name: z.string(),
    deletionTimestamp: z.string().optional(),
    ownerReferences: z.array(z.unknown()).default([]),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
});

export async function removeNamespace(run: Run, session: Session, name: string): Promise<StepOutcome> {
  const current = await readNamespace(session.client, name);
  if (current === undefined || current.metadata.deletionTimestamp !== undefined) return { outcome: 'absent' };
  const guarded = run.gate.guard(session.client);
  if (!isCreatedByUs(current)) return { outcome: hasOurFields(current) && (await stripNamespace(guarded, current)) ? 'removed' : 'absent' };
  const foreign = await foreignObjects(session, name);
  if (foreign.length > 0) {
    await stripNamespace(guarded, current);
    return { outcome: 'removed', message: `the namespace stays, because others use it: ${foreign.slice(0, shownObjects).join(', ')}` };
  }
  const { uid } = current.metadata;
  await guarded.delete(`/api/v1/namespaces/${name}`, uid === undefined ? {} : { uid });
  return (await isGone(run, session, name)) ? { outcome: 'removed' } : { outcome: 'removed', message: 'it is still being deleted' };
}

async function foreignObjects({ client, resources }: Session, namespace: string): Promise<readonly string[]> {
  const collections = (await resources.namespacedCollections(namespace)).filter((path) => !path.endsWith('/events'));
  const found = await Promise.all(
    collections.map(async (path) => {
      const kind = path.split('/').at(-1) ?? '';
      const names = await client.collect(path, (object) => foreignName(object, kind), { metadataOnly: true });
      return (names ?? []).filter((name) => name !== undefined);
    }),
  );
  return [...new Set(found.flat())].sort();
}

/** Objects with an owner go with it; those of a ServiceAccount named default are made by Kubernetes. */
function foreignName(object: unknown, kind: string): string | undefined {
  const { metadata } = Owned.parse(object);
  if (metadata.deletionTimestamp !== undefined || metadata.ownerReferences.length > 0) return undefined;
  if (metadata.annotations['kubernetes.io/service-account.name'] === 'default') return undefined;
  const name = `${kind}/${metadata.name}`;
  return everywhere.has(name) ? undefined : name;
}

async function isGone(run: Run, { client }: Session, name: string): Promise<boolean> {
  const { clock, signal } = run.deps;
  const end = clock.now().getTime() + Math.min(run.timeoutMs, goneMs);
  for (;;) {
    if ((await readNamespace(client, name)) === undefined) return true;
    if (signal.aborted || clock.now().getTime() >= end) return false;
    await clock.sleep(pollMs, signal);
  }
}
