// What clusters hold, in the forms that the end-to-end tests compare.
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from '../../src/base/objects.ts';
import { assert } from '../helpers/suite.ts';
import type { ApiClient } from '../lab/client.ts';
import { allObjects, contentOf, versions } from '../lab/objects.ts';
import { waitFor } from '../lab/wait.ts';

/** Whatever has clusters to look at. */
export interface Clusters {
  readonly clusters: readonly { readonly name: string; readonly client: ApiClient }[];
}

/** What all clusters hold, with controllers at rest: two looks in a row are the same. */
export async function settledContents(scene: Clusters): Promise<Map<string, unknown>> {
  const look = async () => JSON.stringify(await Promise.all(scene.clusters.map(async ({ client }) => [...(await versions(client))])));
  let last = await look();
  await waitFor('the clusters to rest', async () => {
    await sleep(700);
    const before = last;
    last = await look();
    return before === last;
  });
  return contents(scene);
}

/** Every object of all clusters by `cluster Kind namespace/name`, without what the API server counts. */
export function contents(scene: Clusters): Promise<Map<string, unknown>> {
  return everyObject(scene, contentOf);
}

/** The resourceVersion of every object of all clusters. */
export function allVersions(scene: Clusters): Promise<Map<string, unknown>> {
  return everyObject(scene, ({ metadata }) => metadata.resourceVersion);
}

/** The UID of every object of all clusters. */
export function uids(scene: Clusters): Promise<Map<string, unknown>> {
  return everyObject(scene, ({ metadata }) => metadata.uid);
}

/**
 * What was asked of all clusters, however it came there: specs, data and rules, without what controllers, helm and chance add.
 * Two installations of the same charts give the same intents.
 */
export async function intents(scene: Clusters): Promise<Map<string, unknown>> {
  const all = await everyObject(scene, (object) => object);
  const wanted = [...all].filter(([, object]) => !isByproduct(object as KubeObject));
  return new Map(wanted.map(([key, object]) => [key, intentOf(object as KubeObject)]));
}

/** Labels and annotations of all that was asked of all clusters. */
export async function marks(scene: Clusters): Promise<Map<string, unknown>> {
  const all = await everyObject(scene, (object) => object);
  const wanted = [...all].filter(([, object]) => !isByproduct(object as KubeObject));
  return new Map(
    wanted.map(([key, object]) => {
      const { labels, annotations } = (object as KubeObject).metadata;
      return [key, { labels, annotations }];
    }),
  );
}

/** Statuses of the newest revision of every helm release of all clusters, by `cluster namespace/release`. */
export async function releaseStatuses(scene: Clusters): Promise<Map<string, string>> {
  const lists = scene.clusters.map(async ({ name, client }) => {
    const secrets = await client.list('/api/v1/secrets?labelSelector=owner%3Dhelm');
    const byAge = secrets.toSorted((a, b) => Number(a.metadata.labels?.['version']) - Number(b.metadata.labels?.['version']));
    return byAge.map(
      ({ metadata }) => [`${name} ${metadata.namespace}/${metadata.labels?.['name']}`, metadata.labels?.['status'] ?? ''] as const,
    );
  });
  return new Map((await Promise.all(lists)).flat());
}

/** Names of what differs between two maps: `+` only in the second, `-` only in the first, `~` in both but not the same. */
export function differences(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): string[] {
  const gone = [...before.keys()].filter((key) => !after.has(key)).map((key) => `- ${key}`);
  const changed = [...after]
    .filter(([key, value]) => JSON.stringify(before.get(key)) !== JSON.stringify(value))
    .map(([key]) => `${before.has(key) ? '~' : '+'} ${key}`);
  return [...gone, ...changed].sort();
}

async function everyObject(scene: Clusters, read: (object: KubeObject) => unknown): Promise<Map<string, unknown>> {
  const dumps = scene.clusters.map(async ({ name, client }) =>
    [...(await allObjects(client))].map(([key, object]) => [`${name} ${key}`, read(object)] as const),
  );
  return new Map((await Promise.all(dumps)).flat());
}

const madeByControllers = new Set(['Pod', 'ReplicaSet', 'ControllerRevision', 'Endpoints', 'IPAddress']);

function isByproduct({ kind, metadata, ...object }: KubeObject): boolean {
  const generated =
    kind === 'EndpointSlice' && metadata.labels?.['endpointslice.kubernetes.io/managed-by'] === 'endpointslice-controller.k8s.io';
  return generated || madeByControllers.has(kind) || object['type'] === 'helm.sh/release.v1';
}

/** Secrets hold a new token each time, and the API server fills in addresses, ports and labels of its own. */
function intentOf({ kind, metadata: _metadata, ...object }: KubeObject): unknown {
  const { status: _status, ...asked } = object;
  if (kind === 'Secret') return { keys: Object.keys((asked['data'] ?? {}) as object).sort() };
  if (kind !== 'Service' && kind !== 'Job') return asked;
  return JSON.parse(JSON.stringify(asked, (key, value) => (chosenByServer.has(key) ? undefined : value)));
}

const chosenByServer = new Set([
  'clusterIP',
  'clusterIPs',
  'nodePort',
  'healthCheckNodePort',
  'batch.kubernetes.io/controller-uid',
  'controller-uid',
]);

/** Waits until nothing differs, because controllers and istiod follow a little later. */
export async function expectNone(what: string, differing: () => Promise<string[]>): Promise<void> {
  let left: string[] = ['nobody could look'];
  await waitFor(what, async () => {
    left = await differing();
    return left.length === 0;
  }).catch(() => undefined);
  assert.equal(left, [], what);
}
