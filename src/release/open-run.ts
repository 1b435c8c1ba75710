// Opens a run of helm: helm itself, every cluster that can be reached, and what is known of out/.

import { signerSecret } from '../base/names.ts';
import type { Helm } from './helm.ts';
import type { ListedRelease } from './helm-state.ts';
import { applyNamespace, isAsPlanned, readNamespace } from './namespaces.ts';
import { type ClusterRun, type ClusterRunInput, openClusters } from './open-clusters.ts';
import { checkAdmission, checkPermissions, neededRules } from './preflight.ts';
import { changedFiles } from './read.ts';
import type { Session } from './session.ts';
import type { GeneratedMesh, ReleaseDeps } from './types.ts';

export interface RunInput extends ClusterRunInput {
  readonly purpose: 'install' | 'uninstall';
  readonly helm: Helm;
}

export interface Run extends RunInput, ClusterRun {
  /** Releases of a namespace of a cluster, asked once: `cluster1/istio-system`. */
  readonly listed: Map<string, Promise<ReadonlyMap<string, ListedRelease>>>;
  /** Files below out/ that were edited after they were generated. */
  readonly edited: readonly string[];
  /** Namespaces that were made for the Lease, `cluster1/isthmus-system`. */
  readonly prepared: ReadonlySet<string>;
}

/** Connects to every cluster; one that cannot be reached, or is another one, becomes a failed step. */
export async function openRun(input: RunInput): Promise<Run> {
  const { generated, deps } = input;
  const prepared = new Set<string>();
  const prepare = (session: Session) => (input.purpose === 'install' ? prepareCluster(session, generated, prepared) : Promise.resolve());
  const opened = await openClusters({ ...input, prepare });
  const edited = await editedFiles(generated, deps);
  return { ...input, ...opened, listed: new Map(), edited, prepared };
}

export async function closeRun(run: Run): Promise<void> {
  for (const { client } of run.sessions.values()) client.close();
  await run.helm.close();
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
