// Opens a run: helm, every cluster that can be reached, and the gate that stands before their first write.

import { signerSecret } from '../base/names.ts';
import { createGate, type Gate } from './gate.ts';
import type { Helm } from './helm.ts';
import type { ListedRelease } from './helm-state.ts';
import { leaseHolder } from './lease.ts';
import { applyNamespace, isAsPlanned, readNamespace } from './namespaces.ts';
import { checkAdmission, checkPermissions, neededRules } from './preflight.ts';
import { changedFiles } from './read.ts';
import { createSteps, type Steps } from './run.ts';
import { openSession, type Session } from './session.ts';
import type { GeneratedMesh, InstallOptions, ReleaseDeps } from './types.ts';

const defaultTimeoutMs = 300_000;

export interface RunInput {
  readonly purpose: 'install' | 'uninstall';
  readonly generated: GeneratedMesh;
  readonly deps: ReleaseDeps;
  readonly options: InstallOptions;
  readonly helm: Helm;
}

export interface Run extends RunInput {
  readonly steps: Steps;
  readonly gate: Gate;
  readonly timeoutMs: number;
  /** Clusters that could be reached, by name. */
  readonly sessions: ReadonlyMap<string, Session>;
  /** Releases of a namespace of a cluster, asked once: `cluster1/istio-system`. */
  readonly listed: Map<string, Promise<ReadonlyMap<string, ListedRelease>>>;
  /** Files below out/ that were edited after they were generated. */
  readonly edited: readonly string[];
  /** Namespaces that were made for the Lease, `cluster1/isthmus-system`. */
  readonly prepared: ReadonlySet<string>;
}

/** Connects to every cluster; one that cannot be reached, or is another one, becomes a failed step. */
export async function openRun(input: RunInput): Promise<Run> {
  const { generated, deps, options } = input;
  const steps = createSteps(deps.clock, options.onProgress);
  const sessions = new Map<string, Session>();
  const prepared = new Set<string>();
  const namespace = generated.index.routesNamespace;
  const gate = createGate({
    sessions: () => [...sessions.values()],
    namespace,
    holder: leaseHolder(deps),
    clock: deps.clock,
    signal: deps.signal,
    prepare: (session) => (input.purpose === 'install' ? prepareCluster(session, generated, prepared) : Promise.resolve()),
    isLockable: async ({ client }) => (await readNamespace(client, namespace)) !== undefined,
    onWait: (cluster, text) => options.onProgress?.({ type: 'progress', cluster, step: 'Lease', text }),
  });
  await Promise.all(generated.index.clusters.map((spec) => connect(spec, { steps, sessions, deps, folder: generated.folder })));
  const edited = await editedFiles(generated, deps);
  return { ...input, steps, gate, timeoutMs: options.timeoutMs ?? defaultTimeoutMs, sessions, listed: new Map(), edited, prepared };
}

export async function closeRun(run: Run): Promise<void> {
  for (const { client } of run.sessions.values()) client.close();
  await run.helm.close();
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

async function editedFiles({ folder }: GeneratedMesh, { files }: ReleaseDeps): Promise<readonly string[]> {
  if (!(await files.exists(`${folder}/checksums.txt`))) return [];
  return (await changedFiles(files, folder)).map(({ path }) => path);
}

async function prepareCluster(session: Session, { index, releases }: GeneratedMesh, prepared: Set<string>): Promise<void> {
  const name = index.routesNamespace;
  const own = releases.filter(({ cluster }) => cluster === session.spec.name);
  const signer = session.spec.signer === undefined ? [] : [{ chart: signerSecret, namespace: index.istio.namespace }];
  await checkPermissions(session, neededRules([...own, ...signer], name));
  if (own.some(({ chart }) => chart === 'route-installer')) await checkAdmission(session, name);
  const planned = session.spec.namespaces.find((namespace) => namespace.name === name) ?? { name, labels: {}, annotations: {} };
  if (isAsPlanned(await readNamespace(session.client, name), planned)) return;
  await applyNamespace(session.client, planned);
  prepared.add(`${session.spec.name}/${name}`);
}
