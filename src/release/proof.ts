// Looks at a cluster after uninstall and names everything of ours that is still there.
import { failure } from '../base/errors.ts';
import { ownLabels, signerSecret } from '../base/names.ts';
import { describeObject, type KubeObject } from '../base/objects.ts';
import { listReleases } from './helm-state.ts';
import { isOwn } from './install-release.ts';
import { hasOurFields, readNamespace } from './namespaces.ts';
import type { Run } from './open-run.ts';
import type { Session } from './session.ts';
import { runsIstiod } from './signer.ts';

const attempts = 15;
const pollMs = 2_000;

/** The last step of a cluster: fails with the list of what is left. `objects` are those of the releases that were removed. */
export async function prove(run: Run, session: Session, objects: readonly KubeObject[]): Promise<void> {
  await run.steps.run({ cluster: session.spec.name, step: 'proof' }, async () => {
    const left = await leftAfterWait(run, session, objects);
    if (left.length === 0) return { outcome: 'absent', message: 'nothing of isthmus is left' };
    throw failure(`still there: ${left.join(', ')}`, { where: session.spec.name, hint: 'Run uninstall again, or delete these by hand.' });
  });
}

/** Garbage collection takes a moment, so what is still there is looked at again. */
async function leftAfterWait(run: Run, session: Session, objects: readonly KubeObject[]): Promise<readonly string[]> {
  const { clock, signal } = run.deps;
  for (let attempt = 1; ; attempt++) {
    const left = await whatIsLeft(run, session, objects);
    if (left.length === 0 || attempt === attempts || signal.aborted) return left;
    await clock.sleep(pollMs, signal);
  }
}

async function whatIsLeft(run: Run, session: Session, objects: readonly KubeObject[]): Promise<readonly string[]> {
  const parts = await Promise.all([
    leftReleases(run, session),
    leftObjects(session, objects),
    leftKept(run, session),
    leftByLabel(run, session),
    leftFields(session),
  ]);
  return [...new Set(parts.flat())].sort();
}

async function leftReleases(run: Run, session: Session): Promise<readonly string[]> {
  const own = run.generated.releases.filter(({ cluster }) => cluster === session.spec.name);
  const namespaces = [...new Set(own.map(({ namespace }) => namespace))];
  const lists = await Promise.all(namespaces.map((namespace) => listReleases(run.helm, session.target(namespace), session.spec.name)));
  return own
    .filter((release) => {
      const found = lists[namespaces.indexOf(release.namespace)]?.get(release.name);
      return found !== undefined && isOwn(found, release);
    })
    .map(({ name, namespace }) => `helm release ${namespace}/${name}`);
}

async function leftObjects({ resources, spec }: Session, objects: readonly KubeObject[]): Promise<readonly string[]> {
  const found = await Promise.all(objects.map((object) => resources.find(object, object.metadata.namespace ?? '')));
  const left = found.filter((object) => object !== undefined && object.metadata.deletionTimestamp === undefined && isHelms(object));
  return left.map((object) => (object === undefined ? spec.name : describeObject(object)));
}

function isHelms(object: KubeObject): boolean {
  return object.metadata.annotations?.['meta.helm.sh/release-name'] !== undefined;
}

async function leftKept(run: Run, { resources, spec }: Session): Promise<readonly string[]> {
  const own = run.generated.releases.filter(({ cluster }) => cluster === spec.name);
  const kept = own.flatMap((release) =>
    (release.kept ?? []).map(({ apiVersion, kind, name, namespace }) => ({ release, apiVersion, kind, name, namespace })),
  );
  const found = await Promise.all(
    kept.map(({ release, apiVersion, kind, name, namespace }) =>
      resources.find({ apiVersion, kind, metadata: { name, namespace: namespace ?? release.namespace } }, release.namespace),
    ),
  );
  return found.flatMap((object, index) => {
    const ours = object?.metadata.annotations?.['meta.helm.sh/release-name'] === kept[index]?.release.name;
    return object === undefined || object.metadata.deletionTimestamp !== undefined || !ours ? [] : [describeObject(object)];
  });
}

/** Secrets and Leases that isthmus wrote itself. */
async function leftByLabel(run: Run, { client }: Session): Promise<readonly string[]> {
  const labelSelector = Object.entries(ownLabels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const { routesNamespace, istio } = run.generated.index;
  const paths = [`/apis/coordination.k8s.io/v1/namespaces/${routesNamespace}/leases`, `/api/v1/namespaces/${istio.namespace}/secrets`];
  const found = await Promise.all(paths.map((path) => client.list(path, { labelSelector, metadataOnly: true })));
  // An istiod of someone else may sign with it; then uninstall leaves it and says so.
  const signs = await runsIstiod(client, istio.namespace);
  return found.flatMap((objects, index) =>
    (objects ?? [])
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined && !(signs && metadata.name === signerSecret))
      .map(({ metadata }) => `${paths[index]?.split('/').at(-1)}/${metadata.name}`),
  );
}

async function leftFields({ client, spec }: Session): Promise<readonly string[]> {
  const found = await Promise.all(spec.namespaces.map(({ name }) => readNamespace(client, name)));
  return found.flatMap((namespace) => {
    const ours = namespace !== undefined && namespace.metadata.deletionTimestamp === undefined && hasOurFields(namespace);
    return ours ? [`labels of namespace ${namespace.metadata.name}`] : [];
  });
}
