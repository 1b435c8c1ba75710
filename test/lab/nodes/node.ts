// One node of a cluster: a machine with containerd, kubelet, kube-proxy, and Calico's parts: BIRD and the masquerading of pods.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabNode } from '../calico.ts';
import { configOf, type Site, serviceAddress, startComponent } from '../control-plane.ts';
import { kubeconfig, makeClient } from '../pki.ts';
import type { LabProcess } from '../process.ts';
import { birdConfig } from './bird.ts';
import type { Fabric } from './fabric.ts';
import { linkImageStore } from './image-store.ts';
import { type Machine, startMachine } from './machine.ts';
import { startMasquerade } from './masquerade.ts';
import { runtimeRoot, runtimeSocket, startRuntime, writePodNetwork } from './runtime.ts';
import type { PlacedNode } from './shape.ts';

export interface NodePlace {
  /** Folder of the lab, and whether it lives on after this program. */
  readonly lab: string;
  readonly keep: boolean;
  readonly fabric: Fabric;
  /** Folder of the images that every node has, as buildImageStore makes it. */
  readonly images: string;
}

/** A machine with its link, before anything runs on it. */
export async function startNodeMachine({ lab, keep, fabric }: NodePlace, { machine: name, address }: PlacedNode): Promise<Machine> {
  const machine = await startMachine({ name, lab, keep });
  await fabric.connect(machine, address);
  await machine.run('sysctl', '-qw', ...forwarding);
  return machine;
}

/**
 * Starts everything that makes a machine a node.
 * @param site control plane that it joins
 * @param peers all nodes of the cluster
 */
export async function startNodePrograms(
  machine: Machine,
  { site, node, peers, images }: { site: Site; node: LabNode; peers: readonly LabNode[]; images: string },
): Promise<LabProcess[]> {
  writePodNetwork(machine, node.blocks);
  writeBird(machine, node, peers);
  const bird = machine.start('bird', 'bird', '-f', '-c', birdFile(machine), '-s', birdSocket);
  // A machine that was off has them already.
  if (!existsSync(runtimeRoot(machine))) await linkImageStore(images, runtimeRoot(machine));
  const runtime = await startRuntime(machine);
  await makeClient(site.pki, node.name, `/O=system:nodes/CN=system:node:${node.name}`);
  for (const user of [node.name, 'kube-proxy'])
    writeFileSync(configOf(machine, user), kubeconfig(site.pki, user, { context: site.name, server: site.server }), { mode: 0o600 });
  const masquerade = startMasquerade(machine, { server: site.server, pki: site.pki, kubeconfig: configOf(site, 'admin') });
  return [runtime.process, startKubelet(machine, site, node), startProxy(machine, node), bird, masquerade];
}

/** Gives a node other blocks or peers while it runs. */
export async function changeBlocks(machine: Machine, node: LabNode, peers: readonly LabNode[]): Promise<void> {
  writePodNetwork(machine, node.blocks);
  writeBird(machine, node, peers);
  await machine.run('birdc', '-s', birdSocket, 'configure');
}

const birdSocket = '/run/bird.ctl';

/** Packets come in over a link by which the answer does not leave, once routes to other clusters exist on one side only. */
const forwarding = [
  'net.ipv4.ip_forward=1',
  'net.ipv4.conf.all.rp_filter=0',
  'net.ipv4.conf.default.rp_filter=0',
  'net.ipv4.conf.eth0.rp_filter=0',
];

function birdFile(machine: Machine): string {
  return join(machine.folder, 'bird.conf');
}

function writeBird(machine: Machine, node: LabNode, peers: readonly LabNode[]): void {
  writeFileSync(birdFile(machine), birdConfig(node, peers));
}

function startKubelet(machine: Machine, site: Site, { name, address }: LabNode): LabProcess {
  const file = join(machine.folder, 'kubelet.json');
  writeFileSync(file, JSON.stringify(kubeletConfig(machine, site), null, 2));
  mkdirSync(join(machine.folder, 'logs'), { recursive: true });
  return startComponent(machine, 'kubelet', [
    `--config=${file}`,
    `--kubeconfig=${configOf(machine, name)}`,
    `--root-dir=${machine.folder}/kubelet-data`,
    `--cert-dir=${machine.folder}/certificates`,
    `--hostname-override=${name}`,
    `--node-ip=${address}`,
    '--v=1',
  ]);
}

function startProxy(machine: Machine, { name }: LabNode): LabProcess {
  return startComponent(machine, 'kube-proxy', [
    `--kubeconfig=${configOf(machine, 'kube-proxy')}`,
    `--hostname-override=${name}`,
    '--proxy-mode=iptables',
    // What concerns the whole kernel is left alone.
    '--conntrack-max-per-core=0',
    '--conntrack-tcp-timeout-established=0s',
    '--conntrack-tcp-timeout-close-wait=0s',
  ]);
}

/** Nothing that asks the host for more than a cgroup per container. */
function kubeletConfig(machine: Machine, site: Site): Record<string, unknown> {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { anonymous: { enabled: false }, webhook: { enabled: false }, x509: { clientCAFile: join(site.pki, 'ca.crt') } },
    authorization: { mode: 'AlwaysAllow' },
    cgroupDriver: 'cgroupfs',
    cgroupsPerQOS: false,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    failCgroupV1: false,
    containerRuntimeEndpoint: `unix://${runtimeSocket}`,
    clusterDomain: 'cluster.local',
    clusterDNS: [serviceAddress(site.serviceCIDR, 10)],
    resolvConf: '/dev/null',
    podLogsDir: join(machine.folder, 'logs'),
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    healthzBindAddress: '127.0.0.1',
    // Tests wait for pods: sync and report faster than the defaults.
    syncFrequency: '10s',
    nodeStatusReportFrequency: '10s',
  };
}
