// Removes one release: routes first leave the nodes, then helm removes its objects, then those that helm keeps go as well.
import type { KubeObject } from '../base/objects.ts';
import { toYaml } from '../base/yaml.ts';
import { uninstallArgs, upgradeArgs } from './helm-args.ts';
import { deployedObjects } from './helm-state.ts';
import { isOwn, isPending, listed, recover, waitOptions } from './install-release.ts';
import type { Run } from './open-run.ts';
import { waitUntilReady } from './readiness.ts';
import type { StepOutcome } from './run.ts';
import type { Session } from './session.ts';
import type { Release } from './types.ts';

interface Place {
  readonly release: Release;
  readonly session: Session;
}

export interface Removed {
  readonly outcome: StepOutcome;
  /** What the release consisted of, for the proof that it is gone. */
  readonly objects: readonly KubeObject[];
}

export async function removeRelease(run: Run, place: Place, say: (text: string) => void): Promise<Removed> {
  const { release, session } = place;
  const before = (await listed(run, session, release.namespace)).get(release.name);
  if (before === undefined || !isOwn(before, release)) {
    const kept = await removeKept(run, place);
    return { outcome: { outcome: kept > 0 ? 'removed' : 'absent' }, objects: [] };
  }
  const target = session.target(release.namespace);
  const objects = await deployedObjects(run.helm, target, release.name);
  const message = release.chart === 'route-installer' ? await removeRoutes(run, { ...place, status: before.status }, say) : '';
  await run.gate.enter(release.cluster);
  await run.helm.run(uninstallArgs(target, release.name), { where: release.cluster });
  await removeKept(run, place);
  return { outcome: { outcome: 'removed', ...(message === '' ? {} : { message }) }, objects };
}

/** The agents take their routes from the nodes only when they are told so; a release that just goes away leaves them. */
async function removeRoutes(run: Run, place: Place & { readonly status: string }, say: (text: string) => void): Promise<string> {
  const { release, session } = place;
  if (release.chartPath === undefined || place.status === 'uninstalling') return '';
  await run.gate.enter(release.cluster);
  if (isPending({ name: '', revision: 0, chart: '', updated: '', status: place.status })) await recover(run, place, say);
  say('takes the routes from the nodes');
  const target = session.target(release.namespace);
  const upgrade = { release: release.name, chart: release.chartPath, valuesFromInput: true };
  await run.helm.run(upgradeArgs(target, upgrade, run.helm.flags), { where: release.cluster, input: toYaml({ mode: 'remove' }) });
  const objects = await deployedObjects(run.helm, target, release.name);
  return waitUntilReady(objects, waitOptions(run, place, say));
}

/** Objects with `helm.sh/resource-policy: keep`, such as an ILB Service, whose address must survive everything but this. */
async function removeKept(run: Run, { release, session }: Place): Promise<number> {
  let removed = 0;
  for (const { apiVersion, kind, name, namespace } of release.kept ?? []) {
    const object = { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
    if (await removeKeptObject(run, session, { object, release })) removed++;
  }
  return removed;
}

interface KeptObject {
  readonly object: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>;
  /** The release that helm had made it for, and where the object lives when it does not say so itself. */
  readonly release: { readonly name: string; readonly namespace: string };
}

/** Deletes an object that helm has kept; false when there is none that is marked as the release's. */
export async function removeKeptObject(run: Run, { client, resources }: Session, { object, release }: KeptObject): Promise<boolean> {
  const found = await resources.find(object, release.namespace);
  if (found?.metadata.annotations?.['meta.helm.sh/release-name'] !== release.name) return false;
  const path = await resources.pathOf(object, release.namespace);
  if (path === undefined) return false;
  await run.gate.guard(client).delete(path, found.metadata.uid === undefined ? {} : { uid: found.metadata.uid });
  return true;
}
