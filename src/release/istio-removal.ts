// What Istio's own charts leave behind when helm has uninstalled them from a primary that isthmus had made.
import * as z from 'zod';
import { failure } from '../base/errors.ts';
import { releaseNames } from '../base/names.ts';
import type { KubeObject } from '../base/objects.ts';
import { isCreatedByUs, readNamespace } from './namespaces.ts';
import type { Run } from './open-run.ts';
import { secretPath } from './remote-secret.ts';
import type { StepOutcome } from './run.ts';
import type { Session } from './session.ts';

/** The root that istiod makes for itself where it is given none. */
const selfSigned = 'istio-ca-secret';
const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const goneMs = 60_000;
const pollMs = 1_000;

const Definition = z.object({
  spec: z.object({
    group: z.string(),
    names: z.object({ plural: z.string() }),
    versions: z.array(z.object({ name: z.string(), served: z.boolean() })),
  }),
});

/** Whether out/ installs istiod in the cluster. */
export function hasOwnIstio({ generated }: Run, { spec }: Session): boolean {
  return generated.releases.some(({ cluster, chart }) => cluster === spec.name && chart === 'istiod');
}

/**
 * Waits until istiod has stopped, then deletes its root and the definitions of Istio's kinds. The root stays in a namespace that was
 * there before, a definition while there are objects of its kind: they would go with it.
 */
export async function removeOwnIstio(run: Run, session: Session): Promise<void> {
  const cluster = session.spec.name;
  await run.steps.run({ cluster, step: `Secret ${selfSigned}` }, () => removeRoot(run, session));
  await run.steps.run({ cluster, step: 'definitions of Istio' }, () => removeDefinitions(run, session));
}

async function removeRoot(run: Run, session: Session): Promise<StepOutcome> {
  const { namespace } = run.generated.index.istio;
  await istiodStopped(run, session);
  const path = secretPath(namespace, selfSigned);
  const secret = (await session.client.get(path)) as KubeObject | undefined;
  if (secret === undefined) return { outcome: 'absent' };
  const owner = await readNamespace(session.client, namespace);
  if (owner === undefined || !isCreatedByUs(owner))
    return { outcome: 'absent', message: `namespace ${namespace} was there before, so it stays` };
  await run.gate.guard(session.client).delete(path, secret.metadata.uid === undefined ? {} : { uid: secret.metadata.uid });
  return { outcome: 'removed' };
}

/** A pod of istiod that is still stopping would write again what is deleted here. */
async function istiodStopped(run: Run, { client, spec }: Session): Promise<void> {
  const { clock, signal } = run.deps;
  const path = `/api/v1/namespaces/${run.generated.index.istio.namespace}/pods`;
  const end = clock.now().getTime() + goneMs;
  for (;;) {
    const pods = await client.list(path, { labelSelector: 'app=istiod', metadataOnly: true });
    if (pods === undefined || pods.length === 0) return;
    if (signal.aborted || clock.now().getTime() >= end)
      throw failure(`pods of istiod still run: ${pods.map(({ metadata }) => metadata.name).join(', ')}`, {
        where: spec.name,
        hint: 'Run uninstall again when they are gone.',
      });
    await clock.sleep(pollMs, signal);
  }
}

async function removeDefinitions(run: Run, session: Session): Promise<StepOutcome> {
  const { client, spec } = session;
  const labelSelector = `app.kubernetes.io/instance=${releaseNames.istioBase}`;
  const found = (await client.list(crds, { labelSelector })) ?? [];
  const own = found.filter(({ metadata }) => metadata.labels?.['helm.sh/chart']?.startsWith(`${releaseNames.istioBase}-${spec.name}-`));
  const used: string[] = [];
  for (const definition of own) {
    if (await hasObjects(session, definition)) used.push(definition.metadata.name);
    else await run.gate.guard(client).delete(`${crds}/${definition.metadata.name}`);
  }
  const outcome = own.length > used.length ? 'removed' : 'absent';
  return used.length === 0 ? { outcome } : { outcome, message: `these stay, because there are objects of them: ${used.join(', ')}` };
}

async function hasObjects({ client }: Session, definition: KubeObject): Promise<boolean> {
  const { spec } = Definition.parse(definition);
  const version = spec.versions.find(({ served }) => served)?.name ?? '';
  const objects = await client.list(`/apis/${spec.group}/${version}/${spec.names.plural}`, { metadataOnly: true });
  return (objects ?? []).length > 0;
}
