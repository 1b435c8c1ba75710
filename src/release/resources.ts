// Turns objects into API paths, by asking the API server which resource a kind is.
import * as z from 'zod';
import { failure } from '../base/errors.ts';
import { describeObject, type KubeObject } from '../base/objects.ts';
import type { ClusterReader } from '../system/types.ts';

const ResourceList = z.object({
  resources: z.array(z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean(), verbs: z.array(z.string()).default([]) })),
});
const GroupList = z.object({ groups: z.array(z.object({ preferredVersion: z.object({ groupVersion: z.string() }) })) });

export type Resource = z.infer<typeof ResourceList>['resources'][number];
type ObjectName = Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>;

export interface Resources {
  /** Path of the object; `namespace` is where it lives when it does not say so itself. Undefined when its kind is not served. */
  pathOf(object: ObjectName, namespace: string): Promise<string | undefined>;
  /** The object as it is, or undefined. */
  find(object: ObjectName, namespace: string): Promise<KubeObject | undefined>;
  /** Collection paths of everything that can live in a namespace and be listed. */
  namespacedCollections(namespace: string): Promise<readonly string[]>;
}

/** Answers of the API server are kept: discovery is asked once per group. */
export function createResources(client: Pick<ClusterReader, 'get' | 'cluster'>): Resources {
  const known = new Map<string, Promise<readonly Resource[]>>();
  const served = (apiVersion: string) => {
    const asked = known.get(apiVersion) ?? readResources(client, apiVersion);
    known.set(apiVersion, asked);
    return asked;
  };
  const pathOf = async (object: ObjectName, namespace: string) => {
    const resource = (await served(object.apiVersion)).find(({ kind, name }) => kind === object.kind && !name.includes('/'));
    if (resource === undefined) return undefined;
    const within = resource.namespaced ? `/namespaces/${object.metadata.namespace ?? namespace}` : '';
    return `${groupPath(object.apiVersion)}${within}/${resource.name}/${encodeURIComponent(object.metadata.name)}`;
  };
  return {
    pathOf,
    find: async (object, namespace) => {
      const path = await pathOf(object, namespace);
      return path === undefined ? undefined : ((await client.get(path)) as KubeObject | undefined);
    },
    namespacedCollections: async (namespace) => {
      const groups = GroupList.parse(await client.get('/apis')).groups.map(({ preferredVersion }) => preferredVersion.groupVersion);
      const lists = await Promise.all(['v1', ...groups].map(async (group) => ({ group, resources: await served(group) })));
      return lists.flatMap(({ group, resources }) =>
        resources
          .filter(({ namespaced, name, verbs }) => namespaced && !name.includes('/') && verbs.includes('list') && verbs.includes('delete'))
          .map(({ name }) => `${groupPath(group)}/namespaces/${namespace}/${name}`),
      );
    },
  };
}

async function readResources(client: Pick<ClusterReader, 'get' | 'cluster'>, apiVersion: string): Promise<readonly Resource[]> {
  const answer = await client.get(groupPath(apiVersion));
  if (answer === undefined) return [];
  const parsed = ResourceList.safeParse(answer);
  if (!parsed.success) throw failure(`the API server describes ${apiVersion} in an unknown way`, { where: `cluster ${client.cluster}` });
  return parsed.data.resources;
}

function groupPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/**
 * Those of `objects` that are not in the cluster, are being deleted, or are ConfigMaps that hold something else, named for people.
 * Of other kinds the contents are not compared: the API server and controllers complete them.
 */
export async function lostObjects(resources: Resources, objects: readonly KubeObject[], namespace: string): Promise<readonly string[]> {
  const found = await Promise.all(objects.map((object) => resources.find(object, namespace)));
  return objects
    .map((object, index) => {
      const live = found[index];
      if (live === undefined || live.metadata.deletionTimestamp !== undefined) return `${describeObject(object)} is missing`;
      return object.kind === 'ConfigMap' && !holdsSame(object, live) ? `${describeObject(object)} was edited` : '';
    })
    .filter((text) => text !== '');
}

function holdsSame(wanted: KubeObject, live: KubeObject): boolean {
  const [ours, theirs] = [wanted, live].map(({ data }) => new Map(Object.entries(data ?? {})));
  return ours?.size === theirs?.size && [...(ours ?? [])].every(([key, value]) => theirs?.get(key) === value);
}
