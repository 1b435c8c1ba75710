// Installs one release: leaves it when it is as it should be, recovers it when a run died in it, waits until it works.
import { failure } from '../base/errors.ts';
import type { KubeObject } from '../base/objects.ts';
import { type HelmTarget, rollbackArgs, uninstallArgs, upgradeArgs } from './helm-args.ts';
import { deployedObjects, type ListedRelease, lastGoodRevision, listReleases } from './helm-state.ts';
import type { Run } from './open-run.ts';
import { waitUntilReady } from './readiness.ts';
import { lostObjects } from './resources.ts';
import type { StepOutcome } from './run.ts';
import type { Session } from './session.ts';
import type { Release } from './types.ts';

/** Age at which no helm that isthmus started can still run, because it is stopped before, in milliseconds. */
const surelyDeadMs = 360_000;
/** Clocks of two machines that ran isthmus may differ by this much, in milliseconds. */
const clockSlackMs = 5_000;

export async function installRelease(run: Run, release: Release, say: (text: string) => void): Promise<StepOutcome> {
  const session = run.sessions.get(release.cluster);
  if (session === undefined || release.chartPath === undefined)
    return { outcome: 'waiting', message: `waits for ${release.waitsFor.join(', ')}` };
  const before = (await listed(run, session, release.namespace)).get(release.name);
  if (before !== undefined) refuseForeign(before, release);
  const settled = before === undefined ? undefined : await unchanged(run, { release, session, before }, say);
  if (settled !== undefined) return settled;
  await run.gate.enter(release.cluster);
  if (isPending(before)) await recover(run, { release, session }, say);
  say('helm upgrade --install');
  const upgrade = {
    release: release.name,
    chart: release.chartPath,
    forceConflicts: run.options.forceConflicts === true || (before === undefined && isIstios(release)),
    adopt: release.adopt ?? false,
  };
  await run.helm.run(upgradeArgs(session.target(release.namespace), upgrade, run.helm.flags), { where: release.cluster });
  const message = await ready(run, { release, session }, say);
  return { outcome: before === undefined ? 'installed' : 'upgraded', ...(message === '' ? {} : { message }) };
}

/** The latest revisions in a namespace; asked once per run, because nothing else may change them while the Lease is held. */
export function listed(run: Run, session: Session, namespace: string): Promise<ReadonlyMap<string, ListedRelease>> {
  const key = `${session.spec.name}/${namespace}`;
  const known = run.listed.get(key) ?? listReleases(run.helm, session.target(namespace), session.spec.name);
  run.listed.set(key, known);
  return known;
}

/** Charts that isthmus generated are named after release and cluster; Istio's own are not. */
export function isOwn(listedRelease: Pick<ListedRelease, 'chart'>, { name, cluster }: Pick<Release, 'name' | 'cluster'>): boolean {
  return listedRelease.chart.startsWith(`${name}-${cluster}-`);
}

export function isPending(release: ListedRelease | undefined): boolean {
  return release !== undefined && (release.status.startsWith('pending-') || release.status === 'uninstalling');
}

/**
 * On a first installation Istio's charts ask for webhooks that fail open, until istiod closes them. Where the bundle's install.sh came
 * first istiod has done so, and will again: that is no conflict. helm takes nothing over that is not marked as of this release.
 */
function isIstios({ chart }: Pick<Release, 'chart'>): boolean {
  return chart === 'istio-base' || chart === 'istiod';
}

interface Place {
  readonly release: Release;
  readonly session: Session;
}

function refuseForeign(before: ListedRelease, release: Release): void {
  if (release.adopt === true || isOwn(before, release)) return;
  throw failure(`a release of this name is there already, from chart ${before.chart}`, {
    where: release.cluster,
    hint: `It is not from isthmus. Uninstall it (helm uninstall ${release.name} --namespace ${release.namespace}), or keep it and take this cluster out of mesh.yaml.`,
  });
}

/** Nothing to write: the same chart is deployed, no file of it was edited since, and all its objects are as they were made. */
async function unchanged(
  run: Run,
  { release, session, before }: Place & { readonly before: ListedRelease },
  say: (text: string) => void,
): Promise<StepOutcome | undefined> {
  const chart = `${release.name}-${release.cluster}-${release.version}`;
  if (before.status !== 'deployed' || before.chart !== chart) return undefined;
  if (run.edited.some((path) => path.startsWith(`${release.folder}/`))) return undefined;
  const objects = await deployedObjects(run.helm, session.target(release.namespace), release.name);
  if (objects.some(takesRoutesAway)) {
    say('installs it again: an uninstallation that did not end had taken the routes away');
    return undefined;
  }
  // A finished Job may be deleted by its time to live; that is not a loss.
  const lasting = objects.filter(({ kind, spec }) => !(kind === 'Job' && hasTimeToLive(spec)));
  const lost = await lostObjects(session.resources, lasting, release.namespace);
  if (lost.length > 0) {
    say(`installs it again: ${lost.join(', ')}`);
    return undefined;
  }
  const message = await waitUntilReady(lasting, waitOptions(run, { release, session }, say));
  return { outcome: 'unchanged', ...(message === '' ? {} : { message }) };
}

/** The header of route-installer in mode remove: the chart is the same, and its objects are as they were made. */
function takesRoutesAway({ kind, data }: KubeObject): boolean {
  const { header } = (data ?? {}) as { readonly header?: unknown };
  return kind === 'ConfigMap' && typeof header === 'string' && /^mode remove$/m.test(header);
}

function hasTimeToLive(spec: unknown): boolean {
  return typeof spec === 'object' && spec !== null && 'ttlSecondsAfterFinished' in spec;
}

async function ready(run: Run, place: Place, say: (text: string) => void): Promise<string> {
  const { release, session } = place;
  const objects = await deployedObjects(run.helm, session.target(release.namespace), release.name);
  return waitUntilReady(objects, waitOptions(run, place, say));
}

export function waitOptions(run: Run, { release, session }: Place, onProgress: (text: string) => void) {
  const { clock, signal } = run.deps;
  const { client, spec } = session;
  return { client, namespace: release.namespace, nodes: spec.nodes, clock, signal, timeoutMs: run.timeoutMs, onProgress };
}

/**
 * Brings a release that a dead helm left pending to a state that helm can upgrade: back to its last good revision, or away when
 * there is none. Only when it is certain that nobody works on it: its run held the Lease and died, or it is too old, or the user says so.
 */
export async function recover(run: Run, { release, session }: Place, say: (text: string) => void): Promise<void> {
  const target = session.target(release.namespace);
  // Read again: before the Lease was ours, another run may have finished what was pending.
  const now = (await listReleases(run.helm, target, release.cluster)).get(release.name);
  if (now === undefined || !isPending(now)) return;
  if (run.options.unlock !== true && !isDead(run, now, release.cluster))
    throw failure(`helm left this release in state ${now.status}, since ${now.updated}`, {
      where: release.cluster,
      hint: 'A helm command may still run. When you know that none does, run again with --unlock.',
    });
  say(`recovers from ${now.status}`);
  await settle(run, { target, release, status: now.status });
}

function isDead(run: Run, release: ListedRelease, cluster: string): boolean {
  const [, day, time] = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)/.exec(release.updated) ?? [];
  const updated = Date.parse(`${day}T${time}Z`);
  if (Number.isNaN(updated)) return false;
  const deadSince = run.gate.deadSince(cluster);
  if (deadSince !== undefined && updated >= deadSince.getTime() - clockSlackMs) return true;
  return run.deps.clock.now().getTime() - updated > surelyDeadMs;
}

async function settle(run: Run, stuck: { readonly target: HelmTarget; readonly release: Release; readonly status: string }): Promise<void> {
  const { target, release, status } = stuck;
  const good = status === 'uninstalling' ? undefined : await lastGoodRevision(run.helm, target, release.name);
  const args = good === undefined ? uninstallArgs(target, release.name) : rollbackArgs(target, release.name, good);
  await run.helm.run(args, { where: release.cluster });
}
