// Which API groups the server has. Asked first, because RBAC refuses unknown groups before the server can say they do not exist.
import * as z from 'zod';
import type { Reads } from './reads.ts';

/** Group name to its served versions, the preferred one first. */
export type ApiGroups = ReadonlyMap<string, readonly string[]>;

const GroupVersion = z.object({ version: z.string() });

const GroupList = z.object({
  groups: z.array(z.object({ name: z.string(), versions: z.array(GroupVersion), preferredVersion: GroupVersion.optional() })),
});

const ResourceList = z.object({ resources: z.array(z.object({ name: z.string() })) });

/** The groups of `/apis`; empty when that cannot be read, which has then been reported. */
export async function readApiGroups(reads: Reads): Promise<ApiGroups> {
  const answer = await reads.get('/apis', GroupList);
  return new Map(
    (answer?.groups ?? []).map(({ name, versions, preferredVersion }) => {
      const all = versions.map(({ version }) => version);
      const first = preferredVersion?.version;
      return [name, first === undefined ? all : [first, ...all.filter((version) => version !== first)]];
    }),
  );
}

/** Path of the first version of `group` that `versions` names and the server has, `/apis/<group>/<version>`. */
export function groupPath(groups: ApiGroups, group: string, versions: readonly string[]): string | undefined {
  const served = groups.get(group);
  const version = versions.find((candidate) => served?.includes(candidate));
  return version === undefined ? undefined : `/apis/${group}/${version}`;
}

/** Names of the resources of a group version, such as `ipamblocks`. */
export async function readResources(reads: Reads, path: string): Promise<ReadonlySet<string>> {
  const answer = await reads.get(path, ResourceList);
  return new Set(answer?.resources.map(({ name }) => name));
}
