// The lab by hand: builds its tools, starts clusters that stay, and removes them.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Cluster, startCluster } from './cluster.ts';
import { labFolder, removeFolders } from './folders.ts';
import { buildIstioImages } from './istio-images.ts';
import { loadNodes, loadPrimary, originalClusters } from './load.ts';
import { buildNodeImages } from './nodes/images.ts';
import { startIstioLab } from './nodes/istio-lab.ts';
import { keptLab, startLab } from './nodes/lab.ts';
import { insideOf, networkOf } from './nodes/machine.ts';
import { meshShape } from './nodes/shape.ts';
import { buildToolchain } from './toolchain.ts';

const usage = `Usage: npm run lab -- <command>
  build                                      build the tools and images, once, into a cache outside the checkout
  up [--clusters 2] [--nodes 3] [--istio]    start clusters c1, c2, ... of real nodes c1-n1, c1-n2, ...; --istio makes c1 a primary
                                             behind keepalived
  up --simulated [--istio]                   start API servers only, with kwok's nodes; --istio makes the first a primary
  kubectl CLUSTER ARGS...                    run kubectl against a cluster
  run COMMAND...                             run a command in the network of the nodes, where every API server can be reached
  enter NODE COMMAND...                      run a command on a node
  down                                       remove all clusters
`;

async function up(args: string[]): Promise<void> {
  const options = {
    clusters: { type: 'string' },
    nodes: { type: 'string' },
    simulated: { type: 'boolean' },
    istio: { type: 'boolean' },
  } as const;
  const { values } = parseArgs({ args, options });
  await buildToolchain(say);
  const start = performance.now();
  const kubeconfigs = values.simulated === true ? await upSimulated(values.istio === true) : await upNodes(values);
  say(`export KUBECONFIG=${kubeconfigs.join(':')}`);
  say(`up in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

interface NodesOptions {
  readonly clusters?: string;
  readonly nodes?: string;
  readonly istio?: boolean;
}

async function upNodes({ clusters = '2', nodes = '3', istio = false }: NodesOptions): Promise<string[]> {
  const options = { shape: meshShape({ clusters: Number(clusters), nodes: Number(nodes) }), keep: true };
  const lab = istio ? await startIstioLab({ ...options, say }) : await startLab(options);
  for (const cluster of lab.clusters) {
    for (const { shape } of cluster.nodes.values()) say(`${cluster.name}  ${shape.name}  ${shape.address}  ${shape.blocks.join(' ')}`);
    cluster.client.close();
  }
  return lab.clusters.map(({ kubeconfig }) => kubeconfig);
}

async function upSimulated(istio: boolean): Promise<string[]> {
  const clusters = await Promise.all(Object.entries(originalClusters).map(([name, shape]) => startLoaded(name, shape)));
  const [primary] = clusters;
  if (istio && primary !== undefined)
    await loadPrimary(primary.client, { cluster: primary.name, meshID: 'mesh1', network: 'network1', version: '1.30.3' });
  for (const { name, server, client } of clusters) {
    say(`${name}  ${server}`);
    client.close();
  }
  return clusters.map(({ kubeconfig }) => kubeconfig);
}

async function startLoaded(name: string, shape: (typeof originalClusters)['cluster1']): Promise<Cluster> {
  const cluster = await startCluster({ name, serviceCIDR: shape.serviceCIDR, keep: true });
  await loadNodes(cluster.client, shape);
  return cluster;
}

function kubectl([name = '', ...args]: readonly string[]): void {
  if (name.startsWith('cluster')) become(['kubectl', '--kubeconfig', join(labFolder(), name, 'admin.kubeconfig'), ...args]);
  else become([...networkOf(kept(), 'fabric'), 'kubectl', '--kubeconfig', join(kept(), name, 'admin.kubeconfig'), ...args]);
}

function kept(): string {
  return join(labFolder(), keptLab);
}

function become([program = '', ...args]: readonly string[]): void {
  process.exitCode = spawnSync(program, args, { stdio: 'inherit' }).status ?? 1;
}

async function down(): Promise<void> {
  for (const folder of await removeFolders()) say(`removed ${folder}`);
}

function say(line: string): void {
  console.log(line);
}

const [command = '', ...args] = process.argv.slice(2);
const commands: Readonly<Record<string, () => Promise<void> | void>> = {
  build: async () => {
    await buildToolchain(say);
    await buildIstioImages(say);
    await buildNodeImages();
  },
  up: () => up(args),
  kubectl: () => kubectl(args),
  run: () => become([...networkOf(kept(), 'fabric'), ...args]),
  enter: () => become([...insideOf(kept(), args[0] ?? ''), ...args.slice(1)]),
  down,
};
const action = Object.hasOwn(commands, command) ? commands[command] : undefined;
if (action === undefined) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  await action();
}
