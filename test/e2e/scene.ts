// The stage of the end-to-end tests: a primary and a remote cluster, a load balancer, a folder, and the built CLI.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '../../src/base/objects.ts';
import { parseYaml, toYaml } from '../../src/base/yaml.ts';
import type { Helm } from '../helpers/helm.ts';
import { isthmusCommand, type Outcome, type Running, shellEnvironment, startIn, succeeded } from '../helpers/shell.ts';
import { assert } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';
import { type Cluster, startCluster } from '../lab/cluster.ts';
import { startIstiod } from '../lab/istiod.ts';
import { loadNodes, loadPrimary, originalClusters } from '../lab/load.ts';
import { startLoadBalancer } from '../lab/load-balancer.ts';

export type { Outcome, Running } from '../helpers/shell.ts';

export interface MeshOptions {
  /** Fixed address of istiod's ILB, so that nothing has to wait for the load balancer. */
  readonly ilbAddress?: string;
}

export interface Scene {
  readonly primary: Cluster;
  readonly remote: Cluster;
  /** Both of them. */
  readonly clusters: readonly Cluster[];
  /** Working folder of the CLI. */
  readonly folder: string;
  /** Everything the CLI has printed so far. */
  readonly printed: readonly string[];
  /** Starts the CLI with one helm as `helm` in PATH. */
  start(helm: Helm, args: readonly string[]): Running;
  /** Runs the CLI to its end and expects success. */
  isthmus(helm: Helm, ...args: string[]): Promise<Outcome>;
  /** Writes mesh.yaml as a user would: by init, with what only the user knows filled in. */
  writeMesh(options?: MeshOptions): Promise<void>;
  stop(): Promise<void>;
}

/** Addresses that the lab's load balancer gives out; inside the nodes' subnet, as the original ones were. */
export const balancedAddresses = ['9.111.255.5', '9.111.255.7', '9.111.255.4'];

export interface SceneOptions {
  /** Without Istio in the primary. */
  readonly empty?: boolean;
  /** False for API servers that call no webhooks. */
  readonly webhooks?: boolean;
}

/** Starts both clusters side by side, with nodes and Calico's objects, and Istio in the primary unless it shall be `empty`. */
export async function startScene({ empty = false, webhooks = true }: SceneOptions = {}): Promise<Scene> {
  const [primary, remote] = await Promise.all([startMember('cluster1', webhooks), startMember('cluster2', webhooks)]);
  if (!empty) await loadPrimary(primary.client, { cluster: 'cluster1', meshID: 'bookinfo', network: 'network1', version: '1.30.3' });
  const standIns = [startLoadBalancer(primary.client, balancedAddresses), ...(empty ? [] : [startIstiod(primary, remote)])];
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-e2e-'));
  const printed: string[] = [];
  const start = (helm: Helm, args: readonly string[]) => {
    const { child, outcome } = startIn({ folder, env: environment(folder, helm, [primary, remote]) }, isthmusCommand(...args));
    const kept = outcome.then((each) => {
      printed.push(each.stdout, each.stderr);
      return each;
    });
    return { child, outcome: kept };
  };
  const isthmus = (helm: Helm, ...args: string[]) => succeeded(start(helm, args), `isthmus ${args.join(' ')}`);
  return {
    primary,
    remote,
    clusters: [primary, remote],
    folder,
    printed,
    start,
    isthmus,
    writeMesh: async (options = {}) => {
      const { stdout } = await isthmus('helm4', 'init', '--name', 'bookinfo', '--context', 'cluster1', '--context', 'cluster2');
      writeFileSync(join(folder, 'mesh.yaml'), complete(stdout, options));
    },
    stop: async () => {
      await Promise.all(standIns.map((each) => each.stop()));
      await Promise.all([primary.stop(), remote.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startMember(name: keyof typeof originalClusters, webhooks: boolean): Promise<Cluster> {
  const shape = originalClusters[name];
  const cluster = await startCluster({ name, serviceCIDR: shape.serviceCIDR, webhooks });
  await loadNodes(cluster.client, shape);
  return cluster;
}

/** The API server's URL on loopback is of no use to another cluster, and no program can see that keepalived is there. */
function complete(text: string, { ilbAddress }: MeshOptions): string {
  const mesh = parseYaml(text, 'mesh.yaml').value as { clusters: Record<string, unknown>[] };
  const [primary, remote] = mesh.clusters;
  const addresses = ilbAddress === undefined ? {} : { 'istiod-ilb': ilbAddress };
  Object.assign(primary ?? {}, { loadBalancer: { platform: 'keepalived', addresses } });
  Object.assign(remote ?? {}, { apiServer: 'https://9.111.255.77:6443' });
  return toYaml(mesh);
}

/** Only what a user's shell has: one helm, the system's programs, a kubeconfig for each cluster. */
export function environment(folder: string, helm: Helm, clusters: readonly Cluster[]): Record<string, string> {
  const kubeconfigs = clusters.map(({ kubeconfig }) => kubeconfig);
  return shellEnvironment(folder, { bin: helm, programs: { helm: toolPath(helm) }, kubeconfigs });
}

/** One object of a cluster; a failed assertion when it is not there. */
export async function objectAt(cluster: Cluster, path: string): Promise<KubeObject> {
  const object = (await cluster.client.get(path)) as KubeObject | undefined;
  assert.ok(object !== undefined, `${path} is not in ${cluster.name}`);
  return object as KubeObject;
}

/** releases.yaml of a generated folder. */
export function releasesOf(scene: Scene): { name: string; cluster: string; namespace: string; folder?: string }[] {
  const text = readFileSync(join(scene.folder, 'out', 'releases.yaml'), 'utf8');
  return (parseYaml(text, 'releases.yaml').value as { releases: { name: string; cluster: string; namespace: string; folder?: string }[] })
    .releases;
}
