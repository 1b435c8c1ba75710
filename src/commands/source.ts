// Reads back from out/ what it was generated from, and says whether the clusters are still as they were then.
import { dirname, join, resolve } from 'node:path';
import { failure } from '../base/errors.ts';
import { maxYamlBytes, toYaml } from '../base/yaml.ts';
import { formatFacts, parseFacts } from '../facts/file.ts';
import type { ClusterFacts } from '../facts/schema.ts';
import type { ClusterInput, ClusterPlan } from '../plan/types.ts';
import type { GeneratedMesh } from '../release/types.ts';
import { loadMesh } from '../spec/load.ts';
import type { LoadedMesh } from '../spec/schema.ts';
import type { System } from '../system/types.ts';
import { maxFactsBytes, readCluster } from './load.ts';
import { planLoaded } from './plan.ts';

/** Facts younger than this are taken as they are; milliseconds. Blocks move within minutes of a scale-up. */
const maxFactsAgeMs = 15 * 60_000;

/** What a folder was generated from. */
export interface Source {
  readonly loaded: LoadedMesh;
  readonly inputs: readonly ClusterInput[];
}

/** The facts files that out/ carries for its inputs, by the name they get below facts/. */
export function factsFiles(inputs: readonly ClusterInput[]): { cluster: string; text: string }[] {
  return inputs.flatMap(({ name, found, declared }) => [
    ...(found === undefined ? [] : [{ cluster: name, text: formatFacts(found) }]),
    ...(declared === undefined ? [] : [{ cluster: declaredName(name), text: formatFacts(declared) }]),
  ]);
}

/** Reads mesh.yaml and the facts of out/. */
export async function readSource(system: System, generated: GeneratedMesh): Promise<Source> {
  const file = join(generated.folder, 'mesh.yaml');
  const loaded = withIndexedPaths(loadMesh(await system.files.read(file, maxYamlBytes), file, generated.folder), generated.index);
  const inputs = loaded.mesh.clusters.map(async ({ name }): Promise<ClusterInput> => {
    const found = await readFacts(system, generated, name);
    const declared = await readFacts(system, generated, declaredName(name));
    const signer = generated.index.clusters.find((cluster) => cluster.name === name)?.signer;
    return {
      name,
      ...(found === undefined ? {} : { found }),
      ...(declared === undefined ? {} : { declared }),
      ...(signer === undefined ? {} : { root: { value: signer.root, source: `${signer.folder}/root-cert.pem` } }),
    };
  });
  return { loaded, inputs: await Promise.all(inputs) };
}

/**
 * Reads clusters again whose facts are older than 15 minutes and compares what would be generated from them.
 * @throws IsthmusError when it differs: what was looked at in out/ is then not what the clusters need
 */
export async function checkCurrent(system: System, generated: GeneratedMesh, source: Source): Promise<void> {
  const now = system.clock.now().getTime();
  const old = source.inputs.filter(({ found }) => found?.collectedAt !== undefined && now - Date.parse(found.collectedAt) > maxFactsAgeMs);
  if (old.length === 0) return;
  const fresh = await readAgain(
    system,
    generated,
    source,
    old.map(({ name }) => name),
  );
  const before = planLoaded(system, source.loaded, source.inputs);
  const after = planLoaded(system, source.loaded, fresh.inputs);
  const changed = after.clusters.filter((cluster, index) => ready(cluster) !== ready(before.clusters[index])).map(({ name }) => name);
  if (changed.length === 0) return;
  throw failure(`${changed.join(' and ')} changed since the charts were generated`, {
    where: generated.folder,
    hint: 'Run `isthmus generate` again, look at what changed, then install.',
  });
}

/** The source with the named clusters read now; their other inputs stay. */
export async function readAgain(system: System, generated: GeneratedMesh, source: Source, names: readonly string[]): Promise<Source> {
  const inputs = source.inputs.map(async (input): Promise<ClusterInput> => {
    const spec = generated.index.clusters.find(({ name }) => name === input.name);
    if (!names.includes(input.name) || spec?.context === undefined) return input;
    const kubeconfig = spec.kubeconfig === undefined ? {} : { kubeconfig: resolve(generated.folder, spec.kubeconfig) };
    return {
      ...input,
      found: await readCluster(system, { cluster: input.name, context: spec.context, ...kubeconfig }, generated.index.istio.namespace),
    };
  });
  return { ...source, inputs: await Promise.all(inputs) };
}

/** mesh.yaml in out/ is the text that the user wrote, with paths that start elsewhere; the index has them from out/. */
function withIndexedPaths(loaded: LoadedMesh, index: GeneratedMesh['index']): LoadedMesh {
  const clusters = loaded.mesh.clusters.map((cluster) => {
    const kubeconfig = index.clusters.find(({ name }) => name === cluster.name)?.kubeconfig;
    return kubeconfig === undefined ? cluster : { ...cluster, kubeconfig };
  });
  const signer = index.clusters.flatMap((cluster) => cluster.signer ?? [])[0];
  const istio = signer === undefined ? loaded.mesh.istio : { ...loaded.mesh.istio, ca: dirname(signer.folder) };
  return { ...loaded, mesh: { ...loaded.mesh, istio, clusters } };
}

/** What would be installed in a cluster, as text that can be compared. That a gateway has its address by now changes nothing of it. */
function ready(cluster: ClusterPlan | undefined): string {
  const releases = cluster?.releases.filter((release) => release.waitsFor.length === 0);
  return toYaml(releases?.map((release) => ('service' in release ? { ...release, service: undefined } : release)));
}

/** A dot cannot be part of a cluster's name, so this is never another cluster's file. */
function declaredName(cluster: string): string {
  return `${cluster}.declared`;
}

async function readFacts(system: System, generated: GeneratedMesh, name: string): Promise<ClusterFacts | undefined> {
  const file = join(generated.folder, 'facts', `${name}.yaml`);
  if (!(await system.files.exists(file))) return undefined;
  return parseFacts(await system.files.read(file, maxFactsBytes), file);
}
