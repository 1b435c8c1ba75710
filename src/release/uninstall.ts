// Takes everything of ours out of the clusters again, on both sides and in reverse order, and then proves that nothing is left.
import { ownLabels, remoteSecretRelease } from '../base/names.ts';
import type { KubeObject } from '../base/objects.ts';
import { findHelm } from './helm.ts';
import { uninstallArgs } from './helm-args.ts';
import { listed } from './install-release.ts';
import { hasOwnIstio, removeOwnIstio } from './istio-removal.ts';
import { removeIstiodObjects } from './istiod-objects.ts';
import { leaseName } from './lease.ts';
import { removeLeftovers } from './leftover.ts';
import { removeNamespace } from './namespace-removal.ts';
import { hasOurFields, readNamespace } from './namespaces.ts';
import { closeRun, openRun, type Run } from './open-run.ts';
import { prove } from './proof.ts';
import { listRotated, revokeToken } from './reader-token.ts';
import { type IndexedRemoteSecret, secretPath } from './remote-secret.ts';
import type { StepOutcome } from './run.ts';
import type { Session } from './session.ts';
import { removeSigner, signerStep } from './signer.ts';
import type { GeneratedMesh, ReleaseDeps, ReleaseResult, UninstallOptions } from './types.ts';
import { removeRelease } from './uninstall-release.ts';

/**
 * Removes the releases of out/, what helm keeps of them, the remote secrets, what istiod wrote into remotes, our labels and
 * annotations, the namespaces that isthmus made (when nothing else is in them) and the Leases. Objects that others made under the same names are left and named.
 * Routes are taken from the nodes before the agents go; nodes that are not Ready are named, their routes stay until a reboot.
 * @returns one result per step; the last one of each cluster, `proof`, fails with the list of what is left
 * @throws IsthmusError (usage) when there is no usable helm
 */
export async function uninstall(
  generated: GeneratedMesh,
  deps: ReleaseDeps,
  options: UninstallOptions = {},
): Promise<readonly ReleaseResult[]> {
  const run = await openRun({ purpose: 'uninstall', generated, deps, options, helm: await findHelm(deps) });
  try {
    await run.gate.during(uninstallAll(run));
    return run.steps.results;
  } finally {
    await closeRun(run);
  }
}

async function uninstallAll(run: Run): Promise<void> {
  const { releases, index } = run.generated;
  const sessions = [...run.sessions.values()];
  const installed = new Map<string, readonly KubeObject[]>();
  await Promise.all(index.remoteSecrets.map((secret) => removeRemoteSecret(run, secret)));
  const orders = [...new Set(releases.map(({ order }) => order))].sort((a, b) => b - a);
  for (const order of orders) await Promise.all(sessions.map((session) => removeOrder(run, { session, order, installed })));
  for (const session of sessions) {
    const objects = await removeLeftovers(run, session);
    installed.set(session.spec.name, [...(installed.get(session.spec.name) ?? []), ...objects]);
  }
  await Promise.all(sessions.map((session) => removeRest(run, session)));
  await Promise.all(sessions.map((session) => prove(run, session, installed.get(session.spec.name) ?? [])));
}

interface Removal {
  readonly session: Session;
  readonly order: number;
  /** Objects of the removed releases by cluster, collected for the proof. */
  readonly installed: Map<string, readonly KubeObject[]>;
}

async function removeOrder(run: Run, { session, order, installed }: Removal): Promise<void> {
  const { name } = session.spec;
  for (const release of run.generated.releases.filter(({ cluster, order: own }) => cluster === name && own === order)) {
    await run.steps.run({ cluster: name, step: release.name }, async (say) => {
      const { outcome, objects } = await removeRelease(run, { release, session }, say);
      // Definitions of Istio's kinds may have to stay; what becomes of them is told by a step of its own.
      if (release.chart !== 'istio-base') installed.set(name, [...(installed.get(name) ?? []), ...objects]);
      return outcome;
    });
  }
}

async function removeRest(run: Run, session: Session): Promise<void> {
  const { spec } = session;
  const routes = run.generated.index.routesNamespace;
  if (spec.signer !== undefined) await run.steps.run({ cluster: spec.name, step: signerStep }, () => removeSigner(run, session));
  if (hasOwnIstio(run, session)) await removeOwnIstio(run, session);
  if (spec.role === 'remote' || hasOwnIstio(run, session))
    await run.steps.run({ cluster: spec.name, step: 'objects of istiod' }, () => removeIstiodObjects(run, session));
  await removeTokens(run, session);
  const others = spec.namespaces.filter(({ name }) => name !== routes);
  for (const { name } of others)
    await run.steps.run({ cluster: spec.name, step: `namespace ${name}` }, () => removeNamespace(run, session, name));
  await run.steps.run({ cluster: spec.name, step: `namespace ${routes}` }, () => removeRoutesNamespace(run, session, routes));
}

/** Secrets that rotations made; the release of the remote knows nothing of them. */
async function removeTokens(run: Run, { client, spec }: Session): Promise<void> {
  const account = run.generated.index.remoteSecrets.find(({ remote }) => remote === spec.name);
  if (account === undefined) return;
  await run.steps.run({ cluster: spec.name, step: 'rotated tokens' }, async () => {
    const tokens = await listRotated(client, account);
    for (const token of tokens) await revokeToken(run.gate.guard(client), account, token);
    return { outcome: tokens.length === 0 ? 'absent' : 'removed' };
  });
}

/** The namespace of the Lease goes last, and the Lease with it: until then no other run may start. */
async function removeRoutesNamespace(run: Run, session: Session, name: string): Promise<StepOutcome> {
  const { client, spec } = session;
  const path = `/apis/coordination.k8s.io/v1/namespaces/${name}/leases/${leaseName}`;
  const current = await readNamespace(client, name);
  if (current === undefined) return { outcome: 'absent' };
  const lease = await client.get(path);
  if (lease === undefined && !hasOurFields(current)) return { outcome: 'absent' };
  await run.gate.enter(spec.name);
  run.gate.forget(spec.name);
  const outcome = await removeNamespace(run, session, name);
  if ((await client.get(path)) !== undefined) await run.gate.guard(client).delete(path);
  return outcome;
}

async function removeRemoteSecret(run: Run, secret: IndexedRemoteSecret): Promise<void> {
  const step = { cluster: secret.primary, step: `remote secret ${secret.name}` };
  await run.steps.run(step, async (): Promise<StepOutcome> => {
    const session = run.sessions.get(secret.primary);
    const path = secretPath(secret.namespace, secret.name);
    const found = (await session?.client.get(path)) as KubeObject | undefined;
    if (session === undefined || found === undefined) return { outcome: 'absent' };
    const ours = Object.entries(ownLabels).every(([key, value]) => found.metadata.labels?.[key] === value);
    if (!ours) return { outcome: 'absent', message: 'it was not made by isthmus, so it stays' };
    const guard = found.metadata.uid === undefined ? {} : { uid: found.metadata.uid };
    await run.gate.guard(session.client).delete(path, guard);
    await removeRecord(run, session, secret);
    return { outcome: 'removed' };
  });
}

/** Where install.sh of a generated folder made the secret first, helm still counts it as installed. */
async function removeRecord(run: Run, session: Session, { namespace, remote }: IndexedRemoteSecret): Promise<void> {
  const name = remoteSecretRelease(remote);
  const recorded = (await listed(run, session, namespace)).get(name);
  if (recorded?.chart.startsWith(`${name}-`) === true)
    await run.helm.run(uninstallArgs(session.target(namespace), name), { where: session.spec.name });
}
