// Releases of ours that an earlier out/ installed and this one does not have any more.
import { failure } from '../base/errors.ts';
import { describeObject, type KubeObject } from '../base/objects.ts';
import { IndexedRelease } from '../render/types.ts';
import { shellQuote, uninstallArgs } from './helm-args.ts';
import { deployedObjects, type ListedRelease } from './helm-state.ts';
import { listed } from './install-release.ts';
import type { Run } from './open-run.ts';
import type { Session } from './session.ts';
import { removeKeptObject } from './uninstall-release.ts';

interface Leftover extends Pick<ListedRelease, 'name'> {
  readonly namespace: string;
  readonly chart: string;
}

const charts = IndexedRelease.unwrap().shape.chart.options;

/** Names each of them, with the commands that take it away. They are left as they are: something may still depend on them. */
export async function nameLeftovers(run: Run, session: Session): Promise<void> {
  for (const leftover of await leftoversIn(run, session))
    await run.steps.run({ cluster: session.spec.name, step: leftover.name }, async () => {
      const kept = (await objectsOf(run, session, leftover)).filter(isKept).map(describeObject);
      const helm = shellQuote([run.helm.program, ...uninstallArgs(session.target(leftover.namespace), leftover.name)]);
      return {
        outcome: 'unchanged',
        message: 'is not part of the mesh any more; it was installed from an earlier out/',
        hint: `When nothing uses it: ${helm}${kept.length === 0 ? '' : `, then delete what helm keeps: ${kept.join(', ')}`}`,
      };
    });
}

/** Takes them away with the rest. Routes would stay on the nodes without the chart that removes them, so those are refused. */
export async function removeLeftovers(run: Run, session: Session): Promise<readonly KubeObject[]> {
  const removed: KubeObject[] = [];
  for (const leftover of await leftoversIn(run, session))
    await run.steps.run({ cluster: session.spec.name, step: leftover.name }, async () => {
      if (leftover.chart === 'route-installer') throw routesLeft(session, leftover);
      const objects = await objectsOf(run, session, leftover);
      const target = session.target(leftover.namespace);
      await run.gate.enter(session.spec.name);
      await run.helm.run(uninstallArgs(target, leftover.name), { where: session.spec.name });
      for (const object of objects.filter(isKept)) await removeKeptObject(run, session, { object, release: leftover });
      removed.push(...objects);
      return { outcome: 'removed', message: 'it was installed from an earlier out/' };
    });
  return removed;
}

/** None in a cluster where something failed: what it lacks is said already. */
async function leftoversIn(run: Run, session: Session): Promise<readonly Leftover[]> {
  const cluster = session.spec.name;
  if (run.steps.failedIn([cluster]) !== undefined) return [];
  try {
    return await findLeftovers(run, session);
  } catch (error) {
    await run.steps.run({ cluster, step: 'releases' }, () => Promise.reject(error));
    return [];
  }
}

async function findLeftovers(run: Run, session: Session): Promise<readonly Leftover[]> {
  const { index, releases } = run.generated;
  const cluster = session.spec.name;
  const own = releases.filter((release) => release.cluster === cluster);
  const found: Leftover[] = [];
  for (const namespace of [index.istio.namespace, index.routesNamespace])
    for (const { name, chart: text } of (await listed(run, session, namespace)).values()) {
      const chart = charts.find((each) => text.startsWith(`${each}-${cluster}-`));
      const planned = own.some((release) => release.name === name && release.namespace === namespace);
      if (chart !== undefined && !planned) found.push({ name, namespace, chart });
    }
  return found;
}

function objectsOf(run: Run, session: Session, { name, namespace }: Leftover): Promise<readonly KubeObject[]> {
  return deployedObjects(run.helm, session.target(namespace), name);
}

function isKept({ metadata }: KubeObject): boolean {
  return metadata.annotations?.['helm.sh/resource-policy'] === 'keep';
}

function routesLeft(session: Session, { name, namespace }: Leftover): Error {
  return failure(`release ${namespace}/${name} is from an earlier out/, and without its chart its routes would stay on the nodes`, {
    where: session.spec.name,
    hint: 'Generate once more with the mesh.yaml that had routes for this cluster, and uninstall that.',
  });
}
