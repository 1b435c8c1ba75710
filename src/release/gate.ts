// The gate before every write: opens once per run, with the Leases of all clusters, and closes when one of them is lost.
import { failure, type IsthmusError } from '../base/errors.ts';
import type { Clock, ClusterClient } from '../system/types.ts';
import { type HeldLease, leaseSeconds, takeLease } from './lease.ts';
import type { Session } from './session.ts';

const renewMs = 10_000;

export interface GateOptions {
  /** Clusters of the run that could be reached, in any order. */
  readonly sessions: () => readonly Session[];
  /** Namespace of the Leases. */
  readonly namespace: string;
  readonly holder: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Done before the first write, in every cluster: checks, and the namespace of the Lease. One that fails keeps its cluster closed. */
  readonly prepare: (session: Session) => Promise<void>;
  /** Whether there is a place for the Lease in this cluster; where there is none, nothing of ours can be at work. */
  readonly isLockable?: (session: Session) => Promise<boolean>;
  readonly onWait: (cluster: string, text: string) => void;
}

export interface Gate {
  /** Waits until the run may write in this cluster; IsthmusError when it may not (any more). */
  enter(cluster: string): Promise<void>;
  /** Since when a run that died held the Lease of the cluster before this one. */
  deadSince(cluster: string): Date | undefined;
  /** The Lease of the cluster is deleted on purpose; it is not renewed any more. */
  forget(cluster: string): void;
  /** Renews the Leases while `work` goes on, and gives them back at its end. */
  during<T>(work: Promise<T>): Promise<T>;
  /** The client, with `enter` before each of its writes. */
  guard(client: ClusterClient): ClusterClient;
}

interface Entry {
  readonly lease: HeldLease;
  renewed: number;
}

/** A run that writes nothing never opens the gate, and so never takes a Lease. */
export function createGate(options: GateOptions): Gate {
  const { clock, signal } = options;
  const held = new Map<string, Entry>();
  const closed = new Map<string, unknown>();
  let opening: Promise<void> | undefined;
  let lost: IsthmusError | undefined;
  let renewing: Promise<void> | undefined;

  const enter = async (cluster: string) => {
    if (signal.aborted) throw failure('stopped', { where: cluster, hint: 'Run the command again; it goes on where it stopped.' });
    opening ??= openAll(options, held, closed);
    await opening;
    if (closed.has(cluster)) throw closed.get(cluster);
    if (lost === undefined) await renewOnce();
    if (lost !== undefined) throw lost;
  };
  const renewOld = async () => {
    for (const [cluster, entry] of held) {
      if (clock.now().getTime() - entry.renewed < renewMs) continue;
      lost ??= await renewEntry(cluster, entry, clock);
    }
  };
  // Two renewals of one Lease at the same moment would each see the other's as that of another run.
  const renewOnce = () => {
    renewing ??= renewOld().finally(() => {
      renewing = undefined;
    });
    return renewing;
  };
  return {
    enter,
    deadSince: (cluster) => held.get(cluster)?.lease.deadSince,
    forget: (cluster) => void held.delete(cluster),
    guard: (client) => guardClient(client, () => enter(client.cluster)),
    during: async (work) => {
      try {
        return await renewWhile(work, { clock, renew: renewOnce });
      } finally {
        await opening?.catch(() => undefined);
        await Promise.all([...held.values()].map(({ lease }) => lease.release().catch(() => undefined)));
      }
    },
  };
}

/** Every run takes the Leases in the same order, so that two runs can never wait for each other. */
async function openAll(options: GateOptions, held: Map<string, Entry>, closed: Map<string, unknown>): Promise<void> {
  const sessions = [...options.sessions()].sort((a, b) => (a.spec.name < b.spec.name ? -1 : 1));
  await Promise.all(sessions.map((session) => options.prepare(session).catch((error: unknown) => closed.set(session.spec.name, error))));
  for (const session of sessions) {
    const { spec, client } = session;
    if (closed.has(spec.name) || (await options.isLockable?.(session)) === false) continue;
    const { clock, signal, holder, namespace } = options;
    const onWait = (text: string) => options.onWait(spec.name, text);
    const lease = await takeLease({ client, namespace, holder, clock, signal, onWait });
    held.set(spec.name, { lease, renewed: clock.now().getTime() });
  }
}

/** An API server that does not answer for a moment is no lost Lease; one that did not for as long as the Lease lasts is. */
async function renewEntry(cluster: string, entry: Entry, clock: Clock): Promise<IsthmusError | undefined> {
  const start = clock.now().getTime();
  const renewed = await entry.lease.renew().catch(() => undefined);
  if (renewed === true) {
    entry.renewed = start;
    return undefined;
  }
  if (renewed === undefined && clock.now().getTime() - entry.renewed < leaseSeconds * 1000) return undefined;
  return failure('this run does not hold the Lease any more, so it stopped before the next write', {
    where: cluster,
    hint: 'Another run took it, or the API server could not be reached. Run the command again when no other run is at work.',
  });
}

async function renewWhile<T>(
  work: Promise<T>,
  { clock, renew }: { readonly clock: Clock; readonly renew: () => Promise<void> },
): Promise<T> {
  const finished = new AbortController();
  const done = work.finally(() => finished.abort());
  const renewing = (async () => {
    while (!finished.signal.aborted) {
      await clock.sleep(renewMs, finished.signal);
      if (!finished.signal.aborted) await renew();
    }
  })();
  try {
    return await done;
  } finally {
    await renewing;
  }
}

function guardClient(client: ClusterClient, enter: () => Promise<void>): ClusterClient {
  const guarded: Pick<ClusterClient, 'apply' | 'create' | 'replace' | 'delete'> = {
    apply: async (...args) => {
      if (args[2].dryRun !== true) await enter();
      return client.apply(...args);
    },
    create: async (...args) => {
      if (args[2]?.dryRun !== true) await enter();
      return client.create(...args);
    },
    replace: async (...args) => {
      await enter();
      return client.replace(...args);
    },
    delete: async (...args) => {
      await enter();
      return client.delete(...args);
    },
  };
  return Object.assign(Object.create(client) as ClusterClient, guarded);
}
