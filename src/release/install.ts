// Installs out/ into its clusters: what is as it should be is left alone, what is missing is made, in order. It decides nothing.
import { remoteSecretOrder } from '../render/types.ts';
import { findHelm } from './helm.ts';
import { installRelease } from './install-release.ts';
import { nameLeftovers } from './leftover.ts';
import { waitForAddresses } from './load-balancer.ts';
import { applyNamespace, isAsPlanned, type PlannedNamespace, readNamespace } from './namespaces.ts';
import { closeRun, openRun, type Run } from './open-run.ts';
import { installRemoteSecret } from './remote-secret-step.ts';
import { refuseDifferentRoots, refuseMissingSigners } from './roots.ts';
import type { Session } from './session.ts';
import { installSigner } from './signer.ts';
import type { GeneratedMesh, InstallOptions, ReleaseDeps, ReleaseResult } from './types.ts';

/** What is of no use in a remote before its primary works. */
const needsControlPlane: ReadonlySet<string> = new Set(['istio-remote', 'istio-remote-classic', 'eastwest-gateway']);

/**
 * Makes the clusters as out/ says. Running it again converges from any point; when there is nothing to do, nothing is written.
 * Clusters are independent: a failure in one leaves the others as they are, and what depends on it is skipped with the reason.
 * @param generated what `readGenerated` returned
 * @returns one result per namespace, release, address and remote secret, in the order in which they ended; never throws for a cluster
 * @throws IsthmusError (usage) when there is no usable helm
 */
export async function install(
  generated: GeneratedMesh,
  deps: ReleaseDeps,
  options: InstallOptions = {},
): Promise<readonly ReleaseResult[]> {
  const run = await openRun({ purpose: 'install', generated, deps, options, helm: await findHelm(deps) });
  try {
    await run.gate.during(installAll(run));
    return run.steps.results;
  } finally {
    await closeRun(run);
  }
}

async function installAll(run: Run): Promise<void> {
  const sessions = [...run.sessions.values()];
  await refuseDifferentRoots(run);
  await refuseMissingSigners(run);
  await Promise.all(sessions.map((session) => installNamespaces(run, session)));
  // Before any istiod starts: without the Secret it makes a root of its own.
  await Promise.all(sessions.map((session) => installSigner(run, session)));
  const orders = [...new Set(run.generated.releases.map(({ order }) => order))].sort((a, b) => a - b);
  const installOrders = async (some: readonly number[]) => {
    for (const order of some) await Promise.all(run.generated.index.clusters.map((cluster) => installOrder(run, cluster, order)));
  };
  await installOrders(orders.filter((order) => order < remoteSecretOrder));
  await Promise.all(run.generated.index.remoteSecrets.map((secret) => installRemoteSecret(run, secret)));
  await installOrders(orders.filter((order) => order >= remoteSecretOrder));
  await Promise.all(sessions.map((session) => nameLeftovers(run, session)));
}

async function installNamespaces(run: Run, session: Session): Promise<void> {
  for (const namespace of session.spec.namespaces)
    await run.steps.run({ cluster: session.spec.name, step: `namespace ${namespace.name}` }, () =>
      installNamespace(run, session, namespace),
    );
}

async function installNamespace(run: Run, session: Session, namespace: PlannedNamespace) {
  const before = await readNamespace(session.client, namespace.name);
  if (isAsPlanned(before, namespace))
    return { outcome: run.prepared.has(`${session.spec.name}/${namespace.name}`) ? 'installed' : 'unchanged' } as const;
  await applyNamespace(run.gate.guard(session.client), namespace, { force: run.options.forceConflicts ?? false });
  return { outcome: before === undefined ? 'installed' : 'upgraded' } as const;
}

async function installOrder(run: Run, { name: cluster, controlPlane }: Session['spec'], order: number): Promise<void> {
  for (const release of run.generated.releases.filter((each) => each.cluster === cluster && each.order === order)) {
    // A remote without its primary would inject sidecars that find no control plane.
    const needs = controlPlane !== undefined && needsControlPlane.has(release.chart) ? [cluster, controlPlane] : [cluster];
    await run.steps.run({ cluster, step: release.name, needs }, (say) => installRelease(run, release, say));
    await waitForAddresses(run, release);
  }
}
