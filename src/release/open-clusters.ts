// Opens the clusters of a run: those that can be reached, its steps, and the gate that stands before their first write.
import { createGate, type Gate } from './gate.ts';
import { readNamespace } from './namespaces.ts';
import { createSteps, type Steps } from './run.ts';
import { openSession, type Session } from './session.ts';
import type { GeneratedMesh, InstallOptions, ReleaseDeps } from './types.ts';

const defaultTimeoutMs = 300_000;

export interface ClusterRunInput {
  readonly generated: GeneratedMesh;
  readonly deps: ReleaseDeps;
  readonly options: InstallOptions;
}

export interface ClusterRun extends ClusterRunInput {
  readonly steps: Steps;
  readonly gate: Gate;
  readonly timeoutMs: number;
  /** Clusters that could be reached, by name. */
  readonly sessions: ReadonlyMap<string, Session>;
}

export interface OpenOptions extends ClusterRunInput {
  /** Clusters that the run is about; all of them when absent. */
  readonly clusters?: readonly string[];
  /** Done in each cluster before the first write, as `GateOptions` says. */
  readonly prepare: (session: Session) => Promise<void>;
}

/** Connects to the clusters; one that cannot be reached, or is another one, becomes a failed step. */
export async function openClusters({ generated, deps, options, clusters, prepare }: OpenOptions): Promise<ClusterRun> {
  const steps = createSteps(deps.clock, options.onProgress);
  const sessions = new Map<string, Session>();
  const namespace = generated.index.routesNamespace;
  const gate = createGate({
    sessions: () => [...sessions.values()],
    namespace,
    holder: `${deps.env['USER'] || 'isthmus'}-${deps.uuid()}`,
    clock: deps.clock,
    signal: deps.signal,
    prepare,
    isLockable: async ({ client }) => (await readNamespace(client, namespace)) !== undefined,
    onWait: (cluster, text) => options.onProgress?.({ type: 'progress', cluster, step: 'Lease', text }),
  });
  const wanted = generated.index.clusters.filter(({ name }) => clusters?.includes(name) ?? true);
  await Promise.all(wanted.map((spec) => connect(spec, { steps, sessions, deps, folder: generated.folder })));
  return { generated, deps, options, steps, gate, timeoutMs: options.timeoutMs ?? defaultTimeoutMs, sessions };
}

interface Connecting {
  readonly steps: Steps;
  readonly sessions: Map<string, Session>;
  readonly deps: ReleaseDeps;
  /** out/, where relative paths of the index start. */
  readonly folder: string;
}

async function connect(spec: Session['spec'], { steps, sessions, deps, folder }: Connecting): Promise<void> {
  try {
    sessions.set(spec.name, await openSession(spec, folder, deps));
  } catch (error) {
    await steps.run({ cluster: spec.name, step: 'connection' }, () => Promise.reject(error));
  }
}
