// Reads what commands start from: mesh.yaml, and per cluster what mesh.yaml declares and what was found.
import { dirname, join, resolve } from 'node:path';
import { rootFingerprint } from '../base/certificates.ts';
import { usageError } from '../base/errors.ts';
import { maxYamlBytes } from '../base/yaml.ts';
import { declaredFacts } from '../facts/declared.ts';
import { parseFacts } from '../facts/file.ts';
import { inspectCluster } from '../facts/inspect.ts';
import type { ClusterFacts } from '../facts/schema.ts';
import type { ClusterInput } from '../plan/types.ts';
import { loadMesh } from '../spec/load.ts';
import type { Cluster, LoadedMesh } from '../spec/schema.ts';
import type { ClusterAccess, System } from '../system/types.ts';

/** Facts files of large clusters are far larger than anything written by hand; bytes. */
export const maxFactsBytes = 256 * 1024 * 1024;

/** Loads the mesh file that `-f` names, `-` for standard input. */
export async function readMesh(system: System, file: string): Promise<LoadedMesh> {
  if (file === '-') return loadMesh(await system.readInput(maxYamlBytes), 'standard input', system.cwd);
  const path = resolve(system.cwd, file);
  if (!(await system.files.exists(path))) {
    throw usageError('there is no such file', {
      where: file,
      hint: 'Write one with `isthmus init --context a --context b > mesh.yaml`, or name it with -f.',
    });
  }
  return loadMesh(await system.files.read(path, maxYamlBytes), file, dirname(path));
}

/** What is known about every cluster of the mesh, in its order; clusters are read side by side. */
export async function readInputs(system: System, loaded: LoadedMesh): Promise<ClusterInput[]> {
  return Promise.all(loaded.mesh.clusters.map((cluster, index) => readInput(system, loaded, cluster, index)));
}

/** Reads one cluster through its API server, now. */
export async function readCluster(system: System, access: ClusterAccess, istioNamespace: string): Promise<ClusterFacts> {
  const client = await system.connect(access);
  try {
    return await inspectCluster(client, { cluster: access.cluster, istioNamespace, now: system.clock.now() });
  } finally {
    client.close();
  }
}

/** How to reach a cluster of a mesh; undefined when mesh.yaml names no context for it. */
export function accessOf(loaded: LoadedMesh, cluster: Cluster): ClusterAccess | undefined {
  if (cluster.context === undefined) return undefined;
  const kubeconfig = cluster.kubeconfig === undefined ? {} : { kubeconfig: resolve(loaded.folder, cluster.kubeconfig) };
  return { cluster: cluster.name, context: cluster.context, ...kubeconfig };
}

async function readInput(system: System, loaded: LoadedMesh, cluster: Cluster, index: number): Promise<ClusterInput> {
  const icp = await readOptional(system, loaded, cluster.icpConfig);
  const declared = declaredFacts(cluster, (path) => loaded.locate(['clusters', index, ...path]), icp);
  const found = await readFound(system, loaded, cluster);
  const root = await readRoot(system, loaded, cluster);
  return {
    name: cluster.name,
    ...(found === undefined ? {} : { found }),
    ...(declared === undefined ? {} : { declared }),
    ...(root === undefined ? {} : { root }),
  };
}

/** The root of a primary's part of `istio.ca`. No key is read to plan: whoever generates need not be the one who has them. */
async function readRoot({ files }: System, { mesh, folder }: LoadedMesh, { name, role }: Cluster): Promise<ClusterInput['root']> {
  const { ca } = mesh.istio;
  if (ca === undefined || role !== 'primary') return undefined;
  const source = join(ca, name, 'root-cert.pem');
  const path = resolve(folder, source);
  const hint = `\`isthmus ca init --out ${ca}\` makes it.`;
  if (!(await files.exists(path))) throw usageError('does not exist, and `istio.ca` asks for it', { where: source, hint });
  const value = rootFingerprint(await files.read(path));
  if (value === undefined) throw usageError('holds no readable certificate', { where: source, hint });
  return { value, source };
}

async function readFound(system: System, loaded: LoadedMesh, cluster: Cluster): Promise<ClusterFacts | undefined> {
  const saved = await readOptional(system, loaded, cluster.facts);
  if (saved !== undefined) return parseFacts(saved.text, saved.file);
  const access = accessOf(loaded, cluster);
  return access === undefined ? undefined : readCluster(system, access, loaded.mesh.istio.namespace);
}

async function readOptional(
  system: System,
  loaded: LoadedMesh,
  path: string | undefined,
): Promise<{ text: string; file: string } | undefined> {
  if (path === undefined) return undefined;
  return { text: await system.files.read(resolve(loaded.folder, path), maxFactsBytes), file: path };
}
