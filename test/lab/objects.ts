// All objects of a cluster at once: to put many there, and to compare what is there before and after.
import type { KubeObject } from '../../src/base/objects.ts';
import { describeObject } from '../../src/base/objects.ts';
import type { ApiClient } from './client.ts';
import { waitFor } from './wait.ts';

interface Discovery {
  readonly items: readonly {
    readonly metadata: { readonly name?: string };
    readonly versions: readonly { readonly version: string; readonly resources?: readonly DiscoveredResource[] }[];
  }[];
}

interface DiscoveredResource {
  readonly resource: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly responseKind: { readonly kind: string };
  readonly verbs: readonly string[];
}

/** One kind in the version that the API server prefers. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** Every kind that can be listed, one version of each. */
export async function discover(client: ApiClient): Promise<Resource[]> {
  const answers = (await Promise.all([client.get('/api'), client.get('/apis')])) as Discovery[];
  return answers.flatMap(({ items }) =>
    items.flatMap(({ metadata, versions }) => {
      const seen = new Set<string>();
      return versions.flatMap(({ version, resources = [] }) =>
        resources
          .filter(({ verbs, resource }) => verbs.includes('list') && !seen.has(resource) && seen.add(resource))
          .map(({ resource, scope, responseKind }) => ({
            apiVersion: metadata.name === undefined || metadata.name === '' ? version : `${metadata.name}/${version}`,
            kind: responseKind.kind,
            plural: resource,
            namespaced: scope === 'Namespaced',
          })),
      );
    }),
  );
}

/** The collection of a kind, in one namespace when one is given. */
export function collectionPath({ apiVersion, plural }: Resource, namespace?: string): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return namespace === undefined ? `${root}/${plural}` : `${root}/namespaces/${namespace}/${plural}`;
}

/** Kinds that live by themselves: events and leases come and go, autoscalers look for metrics, component statuses are computed. */
const restless = new Set(['Event', 'Lease', 'ComponentStatus', 'HorizontalPodAutoscaler']);
/** Makes a Lease of another object; istiod renews its own in ConfigMaps. */
const leader = 'control-plane.alpha.kubernetes.io/leader';

/** Every object of the cluster but the restless ones, by `Kind namespace/name`; of nodes, which beat, what does not change with that. */
export async function allObjects(client: ApiClient): Promise<Map<string, KubeObject>> {
  const resources = (await discover(client)).filter(({ kind }) => !restless.has(kind));
  const lists = await Promise.all(
    resources.map(async ({ apiVersion, kind, ...resource }) =>
      (await client.list(collectionPath({ apiVersion, kind, ...resource }))).map((object) => ({ ...object, apiVersion, kind })),
    ),
  );
  const still = lists.flat().filter(({ metadata }) => metadata.annotations?.[leader] === undefined);
  return new Map(still.map((object) => [describeObject(object), object.kind === 'Node' ? withoutBeat(object) : object]));
}

function withoutBeat({ metadata: { resourceVersion: _version, ...metadata }, ...object }: KubeObject): KubeObject {
  const { status: _status, ...kept } = object as KubeObject & { status?: unknown };
  return { ...kept, metadata };
}

/** What an object says, without what the API server counts and notes about it. */
export function contentOf(object: KubeObject): unknown {
  const {
    resourceVersion: _version,
    managedFields: _fields,
    generation: _generation,
    ...metadata
  } = object.metadata as unknown as Record<string, unknown>;
  return { ...object, metadata };
}

/** The resourceVersion of every object: equal maps mean that nothing was written in between. */
export async function versions(client: ApiClient): Promise<Map<string, string>> {
  return new Map([...(await allObjects(client))].map(([name, { metadata }]) => [name, metadata.resourceVersion ?? '']));
}

/** Applies objects, new or not, as fast as the connection pool allows; a dry run stores none but checks all. */
export async function putAll(
  client: ApiClient,
  objects: readonly KubeObject[],
  options: { readonly dryRun?: boolean } = {},
): Promise<void> {
  const query = `fieldManager=lab&force=true${options.dryRun === true ? '&dryRun=All' : ''}`;
  const byKind = new Map((await discover(client)).map((resource) => [`${resource.apiVersion} ${resource.kind}`, resource]));
  await inTurns(objects, 32, async (object) => {
    const resource = byKind.get(`${object.apiVersion} ${object.kind}`);
    if (resource === undefined) throw new Error(`the API server does not know ${object.apiVersion} ${object.kind}`);
    const path = `${collectionPath(resource, object.metadata.namespace)}/${object.metadata.name}`;
    const { status, body } = await client.request('PATCH', `${path}?${query}`, object, 'application/apply-patch+yaml');
    if (status >= 300) throw new Error(`${describeObject(object)}: ${status} ${JSON.stringify(body).slice(0, 500)}`);
  });
}

async function inTurns<T>(items: readonly T[], parallel: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}

/** Deletes every object whose name (as in allObjects) is not in `known`, and returns when they are gone. */
export async function removeAdded(client: ApiClient, known: ReadonlySet<string>): Promise<void> {
  const byKind = new Map((await discover(client)).map((resource) => [`${resource.apiVersion} ${resource.kind}`, resource]));
  await waitFor('what was added to be gone', async () => {
    const added = [...(await allObjects(client))].filter(([name]) => !known.has(name)).map(([, object]) => object);
    await inTurns(added, 16, async ({ apiVersion, kind, metadata }) => {
      const resource = byKind.get(`${apiVersion} ${kind}`);
      if (resource !== undefined) await client.delete(`${collectionPath(resource, metadata.namespace)}/${metadata.name}`);
    });
    return added.length === 0;
  });
}
