// isthmus verify: whether the mesh works, layer by layer, for each ordered pair of its clusters.
import { join, resolve } from 'node:path';
import { exitCodes, IsthmusError } from '../base/errors.ts';
import type { KubeObject } from '../base/objects.ts';
import { maxYamlBytes, parseYaml } from '../base/yaml.ts';
import { istioImage, parseImage } from '../plan/image.ts';
import { Image, ImagePullSecrets } from '../plan/values/common.ts';
import { RouteInstallerValues } from '../plan/values/route-installer.ts';
import { createGate, type Gate } from '../release/gate.ts';
import { leaseName } from '../release/lease.ts';
import { readNamespace } from '../release/namespaces.ts';
import { readGenerated } from '../release/read.ts';
import { openSession, type Session } from '../release/session.ts';
import type { GeneratedMesh } from '../release/types.ts';
import { loadMesh } from '../spec/load.ts';
import type { Mesh } from '../spec/schema.ts';
import type { ClusterClient, System } from '../system/types.ts';
import type { Owner, Pair, ProbeSettings, Problem, Scene, VerifiedCluster } from '../verify/types.ts';
import { verifyMesh } from '../verify/verify.ts';
import { parseDuration } from './duration.ts';
import { printResult } from './output.ts';
import { showProgress } from './progress.ts';
import type { ParsedArguments, Run } from './types.ts';
import { describeVerification } from './verify-text.ts';

export const run: Run = async (system, args) => {
  const generated = await readGenerated(system.files, resolve(system.cwd, args.positionals[0] ?? 'out'));
  const file = join(generated.folder, 'mesh.yaml');
  const { mesh } = loadMesh(await system.files.read(file, maxYamlBytes), file, generated.folder);
  const { sessions, unreachable } = await openSessions(system, generated);
  try {
    const gate = gateOf(system, generated, sessions);
    const clusters = new Map<string, VerifiedCluster>();
    for (const session of sessions) {
      const probe = await probeSettings(system, args, { generated, mesh, cluster: session.spec.name });
      clusters.set(session.spec.name, verifiedCluster(session, generated, { gate, probe }));
    }
    return await verifyAndPrint(system, args, { generated, mesh, gate, clusters, unreachable });
  } finally {
    for (const { client } of sessions) client.close();
  }
};

interface Verification {
  readonly generated: GeneratedMesh;
  readonly mesh: Mesh;
  readonly gate: Gate;
  readonly clusters: ReadonlyMap<string, VerifiedCluster>;
  readonly unreachable: ReadonlyMap<string, Problem>;
}

async function verifyAndPrint(system: System, args: ParsedArguments, verification: Verification): Promise<number> {
  const { generated, mesh, gate, clusters, unreachable } = verification;
  const { joined, apart } = pairsOf(mesh);
  const progress = showProgress(system.terminal);
  const scene: Scene = {
    clusters,
    unreachable,
    run: system.uuid().slice(-8),
    clock: system.clock,
    signal: system.signal,
    timeoutMs: parseDuration(args.option('timeout') ?? '2m', '--timeout'),
    onProgress: (cluster, text) => progress.listener({ type: 'progress', cluster, step: 'verify', text }),
  };
  const result = await gate.during(verifyMesh(scene, joined)).finally(progress.stop);
  const notes = [
    ...apart.map(({ from, to }) => `${from} and ${to} are in different networks; only gateways could join them.`),
    ...result.notes,
  ];
  const shown = { ...result, notes };
  printResult(system.terminal, args, {
    value: { apiVersion: 'isthmus/v1', kind: 'VerifyResult', mesh: generated.index.mesh, ...shown },
    text: () => describeVerification(generated.index.mesh, shown),
  });
  if (result.pairs.some(({ outcome }) => outcome === 'failed')) return exitCodes.findings;
  return result.left.length > 0 ? exitCodes.failed : exitCodes.ok;
}

/** Ordered pairs of clusters that routes or their network join, and pairs that nothing of isthmus joins. */
function pairsOf({ clusters }: Mesh): { readonly joined: readonly Pair[]; readonly apart: readonly Pair[] } {
  const sorted = clusters.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const pairs = sorted.flatMap((from) => sorted.filter((to) => to !== from).map((to) => ({ from, to })));
  const named = ({ from, to }: (typeof pairs)[number]) => ({ from: from.name, to: to.name });
  return {
    joined: pairs.filter(({ from, to }) => from.network === to.network).map(named),
    apart: pairs.filter(({ from, to }) => from.network !== to.network && from.name < to.name).map(named),
  };
}

/** Connections outlive Ctrl-C, because probe pods must be removed then. */
async function openSessions(system: System, generated: GeneratedMesh) {
  const { signal } = new AbortController();
  const deps = { ...system, connect: (access: Parameters<System['connect']>[0]) => system.connect(access, signal) };
  const sessions: Session[] = [];
  const unreachable = new Map<string, Problem>();
  const open = async (spec: GeneratedMesh['index']['clusters'][number]) => {
    try {
      sessions.push(await openSession(spec, generated.folder, deps));
    } catch (error) {
      if (!(error instanceof IsthmusError)) throw error;
      unreachable.set(spec.name, { message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) });
    }
  };
  await Promise.all(generated.index.clusters.map(open));
  return { sessions: sessions.toSorted((a, b) => (a.spec.name < b.spec.name ? -1 : 1)), unreachable };
}

/** While probe pods run, no other run may change routes; and pods of another run that holds no Lease are left over. */
function gateOf(system: System, { index }: GeneratedMesh, sessions: readonly Session[]): Gate {
  return createGate({
    sessions: () => sessions,
    namespace: index.routesNamespace,
    holder: `${system.env['USER'] || 'isthmus'}-${system.uuid()}`,
    clock: system.clock,
    signal: system.signal,
    prepare: () => Promise.resolve(),
    isLockable: async ({ client }) => (await readNamespace(client, index.routesNamespace)) !== undefined,
    onWait: (cluster, text) => system.terminal.err(`${cluster}: ${text}\n`),
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

/** The image that the nodes have already: that of the routes, as it stands in the values of the chart, where a mirror may have been written. */
async function probeSettings(
  system: System,
  args: ParsedArguments,
  { generated, mesh, cluster }: { readonly generated: GeneratedMesh; readonly mesh: Mesh; readonly cluster: string },
): Promise<ProbeSettings> {
  const chart = generated.releases.find((release) => release.cluster === cluster && release.chart === 'route-installer')?.chartPath;
  const values = chart === undefined ? undefined : await readValues(system, join(chart, 'values.yaml'));
  const planned = mesh.routes.image === undefined ? istioImage(mesh.istio, 'proxyv2') : parseImage(mesh.routes.image);
  const { registry, repository, tag, digest, pullPolicy } = values?.image ?? Image.parse(planned);
  const name = `${registry === '' ? '' : `${registry.replace(/\/$/, '')}/`}${repository}`;
  const image = `${name}${tag === '' ? '' : `:${tag}`}${digest === '' ? '' : `@${digest}`}`;
  return { image: args.option('image') ?? image, pullPolicy, pullSecrets: values?.imagePullSecrets ?? ImagePullSecrets.parse([]) };
}

async function readValues(system: System, file: string): Promise<Pick<RouteInstallerValues, 'image' | 'imagePullSecrets'> | undefined> {
  if (!(await system.files.exists(file))) return undefined;
  const parsed = RouteInstallerValues.unwrap()
    .pick({ image: true, imagePullSecrets: true })
    .strip()
    .safeParse(parseYaml(await system.files.read(file, maxYamlBytes), file).value);
  return parsed.success ? parsed.data : undefined;
}
