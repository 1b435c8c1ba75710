// Verifies an installed mesh: connects to its clusters, keeps other runs out of them, and checks every pair that is joined.
import { IsthmusError } from '../base/errors.ts';
import type { KubeObject } from '../base/objects.ts';
import { createGate, type Gate } from '../release/gate.ts';
import { leaseHolder, leaseName } from '../release/lease.ts';
import { readNamespace } from '../release/namespaces.ts';
import { openSession, type Session } from '../release/session.ts';
import type { GeneratedMesh, ProgressListener, ReleaseDeps } from '../release/types.ts';
import type { ClusterClient } from '../system/types.ts';
import { verifyPairs } from './layered.ts';
import { pairsOf } from './pairs.ts';
import { type ProbeInput, probeSettings } from './probe-settings.ts';
import type { Owner, Pair, ProbeSettings, Problem, Scene, VerifiedCluster, VerifyResult } from './types.ts';

const defaultTimeoutMs = 120_000;

export interface VerifyOptions {
  /** Longest wait for probe pods; milliseconds, two minutes when absent. */
  readonly timeoutMs?: number;
  readonly onProgress?: ProgressListener;
}

/**
 * Checks layer by layer whether the pods of every two clusters reach each other; makes probe pods, and removes them again.
 * A cluster that cannot be reached is a failed check, not an exception.
 * @param input what was generated, and the mesh that it was generated from
 * @throws IsthmusError after Ctrl-C, or when another run is at work in a cluster
 */
export async function verifyMesh(input: ProbeInput, deps: ReleaseDeps, options: VerifyOptions = {}): Promise<VerifyResult> {
  const pairs = pairsOf(input.generated.index, input.mesh);
  const { sessions, unreachable } = await openSessions(input.generated, deps);
  try {
    const gate = gateOf(input.generated, deps, { sessions, options });
    const clusters = new Map<string, VerifiedCluster>();
    for (const session of sessions) {
      const probe = await probeSettings(deps.files, input, session.spec.name);
      clusters.set(session.spec.name, verifiedCluster(session, input.generated, { gate, probe }));
    }
    const result = await gate.during(verifyPairs(sceneOf(deps, options, { clusters, unreachable }), pairs));
    return { ...result, notes: [...apartNotes(pairs), ...result.notes] };
  } finally {
    for (const { client } of sessions) client.close();
  }
}

function apartNotes(pairs: readonly Pair[]): string[] {
  return pairs
    .filter(({ from, to, through }) => through !== undefined && from < to)
    .map(
      ({ from, to }) =>
        `${from} and ${to} are in different networks: pods reach each other through gateways, so there are no routes to look at.`,
    );
}

function sceneOf(deps: ReleaseDeps, options: VerifyOptions, reached: Pick<Scene, 'clusters' | 'unreachable'>): Scene {
  return {
    ...reached,
    run: deps.uuid().slice(-8),
    clock: deps.clock,
    signal: deps.signal,
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
    onProgress: (cluster, text) => options.onProgress?.({ type: 'progress', cluster, step: 'verify', text }),
  };
}

/** Connections outlive Ctrl-C, because probe pods must be removed then. */
async function openSessions({ index, folder }: GeneratedMesh, deps: ReleaseDeps) {
  const { signal } = new AbortController();
  const connected: ReleaseDeps = { ...deps, connect: (access) => deps.connect(access, signal) };
  const sessions: Session[] = [];
  const unreachable = new Map<string, Problem>();
  const open = async (spec: Session['spec']) => {
    try {
      sessions.push(await openSession(spec, folder, connected));
    } catch (error) {
      if (!(error instanceof IsthmusError)) throw error;
      unreachable.set(spec.name, { message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) });
    }
  };
  await Promise.all(index.clusters.map(open));
  return { sessions: sessions.toSorted((a, b) => (a.spec.name < b.spec.name ? -1 : 1)), unreachable };
}

/** While probe pods run, no other run may change routes; and pods of another run that holds no Lease are left over. */
function gateOf(
  { index }: GeneratedMesh,
  deps: ReleaseDeps,
  { sessions, options }: { readonly sessions: readonly Session[]; readonly options: VerifyOptions },
): Gate {
  return createGate({
    sessions: () => sessions,
    namespace: index.routesNamespace,
    holder: leaseHolder(deps),
    clock: deps.clock,
    signal: deps.signal,
    prepare: () => Promise.resolve(),
    isLockable: async ({ client }) => (await readNamespace(client, index.routesNamespace)) !== undefined,
    onWait: (cluster, text) => options.onProgress?.({ type: 'progress', cluster, step: 'Lease', text }),
  });
}

function verifiedCluster(
  { spec, client }: Session,
  { index, releases }: GeneratedMesh,
  { gate, probe }: { readonly gate: Gate; readonly probe: ProbeSettings },
): VerifiedCluster {
  const release = releases.find(({ cluster, chart }) => cluster === spec.name && chart === 'route-installer');
  const version = release?.version === undefined ? {} : { version: release.version };
  return {
    name: spec.name,
    client,
    enter: async () => {
      await gate.enter(spec.name);
      return leaseOf(client, index.routesNamespace);
    },
    istioNamespace: index.istio.namespace,
    namespace: index.routesNamespace,
    nodes: spec.nodes,
    ...(release === undefined ? {} : { routes: { release: release.name, ...version } }),
    probe,
  };
}

async function leaseOf(client: ClusterClient, namespace: string): Promise<Owner | undefined> {
  const lease = (await client.get(`/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${leaseName}`)) as KubeObject | undefined;
  const uid = lease?.metadata.uid;
  return uid === undefined ? undefined : { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: leaseName, uid };
}
