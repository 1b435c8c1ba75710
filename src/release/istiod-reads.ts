// How one sees from outside that istiod reads a cluster with what its remote secret holds now.
import coerce from 'semver/functions/coerce.js';
import lt from 'semver/functions/lt.js';
import * as z from 'zod';
import { messageOf } from '../base/errors.ts';
import { fieldManager } from '../base/names.ts';
import type { ClusterReader } from '../system/types.ts';
import { type IndexedRemoteSecret, secretPath } from './remote-secret.ts';

/** Clocks of a node and of the API server may differ by this much; milliseconds. */
const clockSlackMs = 60_000;
/** A busy istiod writes some hundred lines while it reads a cluster anew. */
const tailLines = 20_000;

const Pods = z.object({
  metadata: z.object({ name: z.string(), deletionTimestamp: z.string().optional() }),
  spec: z.object({ containers: z.array(z.object({ image: z.string().default('') })).default([]) }).default({ containers: [] }),
  status: z
    .object({
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
      containerStatuses: z
        .array(z.object({ state: z.object({ running: z.object({ startedAt: z.string() }).optional() }).optional() }))
        .default([]),
    })
    .default({ conditions: [], containerStatuses: [] }),
});
const Managed = z.object({
  metadata: z.object({ managedFields: z.array(z.object({ manager: z.string().optional(), time: z.string().optional() })).default([]) }),
});

/** A running istiod. */
export interface Istiod {
  readonly pod: string;
  readonly startedAt: Date;
  /** By the tag of its image; undefined when that tells none. */
  readonly version: string | undefined;
}

/** The istiods of a primary that are ready, of every revision: each reads every remote secret. Istio 0.8 calls them pilot. */
export async function readyIstiods(client: Pick<ClusterReader, 'list'>, namespace: string): Promise<readonly Istiod[]> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const lists = await Promise.all(['app=istiod', 'istio=pilot'].map((labelSelector) => client.list(path, { labelSelector })));
  const pods = lists.flatMap((list) => list ?? []).map((pod) => Pods.parse(pod));
  const istiods = pods.filter(isReady).map(({ metadata, spec, status }) => ({
    pod: metadata.name,
    startedAt: new Date(Math.max(...status.containerStatuses.map(({ state }) => Date.parse(state?.running?.startedAt ?? '') || 0), 0)),
    version: versionOf(spec.containers.map(({ image }) => image)),
  }));
  return [...new Map(istiods.map((istiod) => [istiod.pod, istiod])).values()];
}

/** When isthmus last changed the remote secret, by the clock of the API server; undefined when it never did. */
export async function writtenAt(client: Pick<ClusterReader, 'get'>, { namespace, name }: IndexedRemoteSecret): Promise<Date | undefined> {
  const found = Managed.safeParse(await client.get(secretPath(namespace, name)));
  const time = found.data?.metadata.managedFields.find(({ manager }) => manager === fieldManager)?.time;
  return time === undefined ? undefined : new Date(time);
}

/**
 * Why it is not sure that this istiod has read the remote since; undefined when it has: it says so in its log, in the same words from
 * 1.24 on, or it started later, and an istiod is not ready before it has read all clusters.
 */
export async function whyUnread(
  client: Pick<ClusterReader, 'podLog'>,
  { pod, startedAt }: Istiod,
  { namespace, remote, since }: { readonly namespace: string; readonly remote: string; readonly since: Date },
): Promise<string | undefined> {
  if (startedAt.getTime() > since.getTime() + clockSlackMs) return undefined;
  try {
    const log = await client.podLog(namespace, pod, { tailLines, since });
    if (log.includes(`kube controller for ${remote} synced after`)) return undefined;
    return `${pod} has not read ${remote} with the new token yet`;
  } catch (error) {
    return `the log of ${pod} cannot be read: ${messageOf(error)}`;
  }
}

/**
 * What this version of istiod does to the endpoints of a cluster whose remote secret changes; undefined when it keeps them.
 * Istio 1.30.0 was the first to build the new client before it drops the old one, and 1.30.4 mends that it then emptied the shards of
 * the new one (istio/istio#61043); 1.31.0 has both.
 */
export function lossOf(version: string): 'until restart' | 'for a moment' | undefined {
  const known = coerce(version);
  if (known === null || !lt(known, '1.30.4')) return undefined;
  return lt(known, '1.30.0') ? 'for a moment' : 'until restart';
}

function isReady({ metadata, status }: z.infer<typeof Pods>): boolean {
  return (
    metadata.deletionTimestamp === undefined && status.conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True')
  );
}

/** `registry/pilot:1.30.3-distroless` tells 1.30.3; a digest alone tells nothing. */
function versionOf(images: readonly string[]): string | undefined {
  return images.flatMap((image) => /:v?(\d+\.\d+\.\d+)[^/:@]*(?:@.*)?$/.exec(image)?.[1] ?? [])[0];
}
