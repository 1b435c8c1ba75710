// Calico's objects as far as isthmus reads them, from whichever API group this cluster keeps them in.
import * as z from 'zod';
import { type ApiGroups, groupPath, readResources } from '../api-groups.ts';
import { NameOnly } from '../objects.ts';
import type { Reads } from '../reads.ts';

/** A claim of a node on a block. `deleted` is the string "true" in crd.projectcalico.org/v1 and a boolean in projectcalico.org/v3. */
export const BlockAffinity = z.object({
  metadata: NameOnly,
  spec: z.object({
    cidr: z.string(),
    node: z.string(),
    state: z.string().optional(),
    type: z.string().optional(),
    deleted: z.union([z.boolean(), z.string()]).nullish(),
  }),
});
export type BlockAffinity = z.infer<typeof BlockAffinity>;

const list = z.custom<readonly unknown[]>(Array.isArray, 'is not a list');

/**
 * A block and the addresses in use in it: `allocations[i]` is the index in `attributes` of who has address i, or null.
 * Only the ordinals by node are kept, as tens of thousands of blocks have dozens of attributes each.
 */
export const IPAMBlock = z
  .object({
    metadata: NameOnly,
    spec: z.object({
      cidr: z.string(),
      affinity: z.string().nullish(),
      deleted: z.boolean().nullish(),
      allocations: list,
      attributes: list.nullish(),
    }),
  })
  .transform(({ metadata, spec }) => ({
    name: metadata.name,
    cidr: spec.cidr,
    affinity: spec.affinity ?? undefined,
    deleted: spec.deleted === true,
    users: usersOf(spec.allocations, spec.attributes ?? []),
  }));
export type IPAMBlock = z.infer<typeof IPAMBlock>;

export const IPPool = z.object({
  metadata: NameOnly,
  spec: z.object({
    cidr: z.string(),
    disabled: z.boolean().nullish(),
    natOutgoing: z.boolean().nullish(),
    ipipMode: z.string().nullish(),
    vxlanMode: z.string().nullish(),
    allowedUses: z.array(z.string()).nullish(),
  }),
});
export type IPPool = z.infer<typeof IPPool>;

export const FelixConfiguration = z.object({
  kind: z.literal('FelixConfiguration'),
  spec: z
    .object({
      deviceRouteProtocol: z.int().nullish(),
      wireguardEnabled: z.boolean().nullish(),
      wireguardEnabledV6: z.boolean().nullish(),
    })
    .nullish(),
});
export type FelixConfiguration = z.infer<typeof FelixConfiguration>;

/** Ordinals of the addresses in use, by the node that uses them; released addresses are not in use. */
function usersOf(allocations: readonly unknown[], attributes: readonly unknown[]): ReadonlyMap<string, readonly number[]> {
  const nodes = attributes.map(nodeOf);
  const users = new Map<string, number[]>();
  for (const [ordinal, index] of allocations.entries()) {
    const node = typeof index === 'number' ? nodes[index] : undefined;
    if (node === undefined) continue;
    const known = users.get(node);
    if (known === undefined) users.set(node, [ordinal]);
    else known.push(ordinal);
  }
  return users;
}

/** Read without a schema: this runs once for every pod of the cluster. */
function nodeOf(attribute: unknown): string | undefined {
  if (typeof attribute !== 'object' || attribute === null || 'releasedAt' in attribute || !('secondary' in attribute)) return undefined;
  const { secondary } = attribute;
  if (typeof secondary !== 'object' || secondary === null || !('node' in secondary)) return undefined;
  return typeof secondary.node === 'string' ? secondary.node : undefined;
}

/** Calico's objects of one API group; a list that is undefined is not served or could not be read. */
export interface CalicoObjects {
  /** Path of the group version that holds the objects. */
  readonly path: string;
  readonly affinities: readonly BlockAffinity[] | undefined;
  readonly blocks: readonly IPAMBlock[] | undefined;
  readonly pools: readonly IPPool[] | undefined;
  readonly felix: FelixConfiguration | undefined;
}

/**
 * Reads Calico's objects from where this cluster keeps them; undefined without Calico's API groups.
 * `projectcalico.org/v3` holds them itself only where it serves `ipamblocks`: behind Calico's aggregated API server it is a
 * view of `crd.projectcalico.org/v1`. While a cluster moves to v3 both exist; v3 counts as soon as it has a block.
 */
export async function readCalico(reads: Reads, groups: ApiGroups): Promise<CalicoObjects | undefined> {
  const native = groupPath(groups, 'projectcalico.org', ['v3']);
  const classic = groupPath(groups, 'crd.projectcalico.org', ['v1']);
  const inNative = native === undefined ? undefined : await readNative(reads, native);
  const isUsed = inNative !== undefined && inNative.affinities?.length !== 0;
  if (isUsed || classic === undefined) return inNative;
  return readObjects(reads, classic);
}

async function readNative(reads: Reads, path: string): Promise<CalicoObjects | undefined> {
  const resources = await readResources(reads, path);
  return resources.has('ipamblocks') ? readObjects(reads, path) : undefined;
}

async function readObjects(reads: Reads, path: string): Promise<CalicoObjects> {
  const [affinities, blocks, pools, felix] = await Promise.all([
    reads.list(`${path}/blockaffinities`, BlockAffinity),
    reads.list(`${path}/ipamblocks`, IPAMBlock),
    reads.list(`${path}/ippools`, IPPool),
    reads.get(`${path}/felixconfigurations/default`, FelixConfiguration),
  ]);
  return { path, affinities, blocks, pools, felix };
}
