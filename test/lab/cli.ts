// The lab by hand: builds its tools, starts clusters that stay, and removes them.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Cluster, labFolder, removeClusters, startCluster } from './cluster.ts';
import { loadNodes, loadPrimary, originalClusters } from './load.ts';
import { buildToolchain } from './toolchain.ts';

const usage = `Usage: npm run lab -- <command>
  build                 build the tools, once, into a cache outside the checkout
  up [--istio]          start cluster1 and cluster2 with the nodes of the original procedure; --istio makes cluster1 a primary
  kubectl NAME ARGS...  run kubectl against a cluster
  down                  remove all clusters
`;

async function up(args: readonly string[]): Promise<void> {
  await buildToolchain(say);
  const start = performance.now();
  const clusters = await Promise.all(Object.entries(originalClusters).map(([name, shape]) => startLoaded(name, shape)));
  const [primary] = clusters;
  if (args.includes('--istio') && primary !== undefined) {
    await loadPrimary(primary.client, { cluster: primary.name, meshID: 'mesh1', network: 'network1', version: '1.30.3' });
  }
  for (const { name, server, kubeconfig } of clusters) say(`${name}  ${server}  ${kubeconfig}`);
  say(`export KUBECONFIG=${clusters.map(({ kubeconfig }) => kubeconfig).join(':')}`);
  say(`up in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  for (const { client } of clusters) client.close();
}

async function startLoaded(name: string, shape: (typeof originalClusters)['cluster1']): Promise<Cluster> {
  const cluster = await startCluster({ name, serviceCIDR: shape.serviceCIDR, keep: true });
  await loadNodes(cluster.client, shape);
  return cluster;
}

function kubectl([name = '', ...args]: readonly string[]): void {
  const config = join(labFolder(), name, 'admin.kubeconfig');
  process.exitCode = spawnSync('kubectl', ['--kubeconfig', config, ...args], { stdio: 'inherit' }).status ?? 1;
}

async function down(): Promise<void> {
  for (const folder of await removeClusters()) say(`removed ${folder}`);
}

function say(line: string): void {
  console.log(line);
}

const [command = '', ...args] = process.argv.slice(2);
const commands: Readonly<Record<string, () => Promise<void> | void>> = {
  build: () => buildToolchain(say),
  up: () => up(args),
  kubectl: () => kubectl(args),
  down,
};
const action = Object.hasOwn(commands, command) ? commands[command] : undefined;
if (action === undefined) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  await action();
}
