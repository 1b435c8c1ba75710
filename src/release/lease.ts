// The Lease that keeps two runs of isthmus out of one cluster.
import * as z from 'zod';
import { failure } from '../base/errors.ts';
import { ownLabels } from '../base/names.ts';
import type { KubeObject } from '../base/objects.ts';
import type { Clock, ClusterClient, System } from '../system/types.ts';

export const leaseName = 'isthmus';
/** Seconds after which a Lease that nobody renewed may be taken. */
export const leaseSeconds = 30;
const checkAgainMs = 2_000;

/** What this run calls itself in a Lease, so that whoever waits for it knows whom to ask. */
export function leaseHolder({ env, uuid }: Pick<System, 'env' | 'uuid'>): string {
  return `${env['USER'] || 'isthmus'}-${uuid()}`;
}

const Lease = z.looseObject({
  metadata: z.looseObject({ name: z.string(), resourceVersion: z.string().optional() }),
  spec: z
    .looseObject({
      holderIdentity: z.string().nullish(),
      acquireTime: z.string().nullish(),
      renewTime: z.string().nullish(),
      leaseDurationSeconds: z.number().nullish(),
      leaseTransitions: z.number().nullish(),
    })
    .default({}),
});
type Lease = z.infer<typeof Lease>;

/** A Lease that is held. */
export interface HeldLease {
  /** Since when a run that died held it before us; undefined when it was free. */
  readonly deadSince: Date | undefined;
  /** Renews it; false when someone else holds it now. Throws when the API server did not answer, which may pass. */
  renew(): Promise<boolean>;
  /** Gives it back; does nothing when it is not ours any more. */
  release(): Promise<void>;
}

export interface LeaseOptions {
  readonly client: Pick<ClusterClient, 'get' | 'create' | 'replace' | 'cluster'>;
  readonly namespace: string;
  readonly holder: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onWait: (text: string) => void;
}

/**
 * Takes the Lease. One that is held is watched until it is renewed (its holder lives: refused) or runs out (it died: taken).
 * @throws IsthmusError with the holder and since when
 */
export async function takeLease(options: LeaseOptions): Promise<HeldLease> {
  const { client, clock, signal, onWait } = options;
  let first: Lease | undefined;
  for (;;) {
    const current = await readLease(options);
    if (current === undefined || isFree(current, clock)) {
      if (await writeLease(options, current)) return heldLease(options, current);
      continue;
    }
    if (first === undefined) onWait(`waits to see whether ${current.spec.holderIdentity} is still at work`);
    else if (first.spec.renewTime !== current.spec.renewTime || signal.aborted) throw heldByAnother(client.cluster, current);
    first ??= current;
    await clock.sleep(checkAgainMs, signal);
  }
}

function heldLease(options: LeaseOptions, before: Lease | undefined): HeldLease {
  const { client, holder } = options;
  const ours = async () => {
    const current = await readLease(options);
    return current?.spec.holderIdentity === holder ? current : undefined;
  };
  return {
    deadSince: before !== undefined && isHeld(before) ? new Date(before.spec.acquireTime ?? 0) : undefined,
    renew: async () => {
      const current = await ours();
      return current !== undefined && (await writeLease(options, current));
    },
    release: async () => {
      const current = await ours();
      if (current === undefined) return;
      const free = { ...current, spec: { ...current.spec, holderIdentity: '' } };
      await client.replace(pathOf(options), free as unknown as KubeObject);
    },
  };
}

async function readLease(options: LeaseOptions): Promise<Lease | undefined> {
  const found = await options.client.get(pathOf(options));
  return found === undefined ? undefined : Lease.parse(found);
}

/** False when another run was faster. */
async function writeLease(options: LeaseOptions, current: Lease | undefined): Promise<boolean> {
  const { client, namespace, holder, clock } = options;
  const now = microTime(clock.now());
  const same = current?.spec.holderIdentity === holder;
  const spec = {
    holderIdentity: holder,
    leaseDurationSeconds: leaseSeconds,
    acquireTime: same ? current.spec.acquireTime : now,
    renewTime: now,
    leaseTransitions: (current?.spec.leaseTransitions ?? 0) + (same ? 0 : 1),
  };
  if (current !== undefined) return (await client.replace(pathOf(options), { ...current, spec } as unknown as KubeObject)) !== undefined;
  const metadata = { name: leaseName, namespace, labels: ownLabels };
  return (
    (await client.create(collectionOf(namespace), { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec })) !== undefined
  );
}

function isHeld({ spec }: Lease): boolean {
  return (spec.holderIdentity ?? '') !== '';
}

function isFree(lease: Lease, clock: Clock): boolean {
  const { spec } = lease;
  if (!isHeld(lease)) return true;
  const renewed = Date.parse(spec.renewTime ?? '');
  return Number.isNaN(renewed) || renewed + (spec.leaseDurationSeconds ?? leaseSeconds) * 1000 < clock.now().getTime();
}

function heldByAnother(cluster: string, { spec }: Lease) {
  return failure(`another run of isthmus is at work: ${spec.holderIdentity}, since ${spec.acquireTime}`, {
    where: cluster,
    hint: 'Wait until it has finished.',
  });
}

function collectionOf(namespace: string): string {
  return `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
}

function pathOf({ namespace }: Pick<LeaseOptions, 'namespace'>): string {
  return `${collectionOf(namespace)}/${leaseName}`;
}

/** Kubernetes' MicroTime: RFC 3339 with six digits after the second. */
function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
