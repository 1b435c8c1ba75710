// containerd of one machine, and the pod network of its node.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabProcess } from '../process.ts';
import { waitFor } from '../wait.ts';
import type { Machine } from './machine.ts';

/** In the machine's own /run. */
export const runtimeSocket = '/run/containerd/containerd.sock';

/** Where containerd keeps images and containers, over a restart of the machine as well. */
export function runtimeRoot({ folder }: Pick<Machine, 'folder'>): string {
  return join(folder, 'containerd');
}

export interface Runtime {
  readonly process: LabProcess;
  importImage(archive: string): Promise<void>;
}

/** Starts containerd, and returns when it answers. */
export async function startRuntime(machine: Machine): Promise<Runtime> {
  const file = join(machine.folder, 'containerd.toml');
  writeFileSync(file, config(machine));
  const runtime = machine.start('containerd', 'containerd', '--config', file, '--log-level', 'warn');
  await waitFor(`containerd of ${machine.name}`, async () => {
    if (!runtime.isAlive()) throw new Error(runtime.lastLines(5));
    return ctr(machine, 'version');
  });
  return { process: runtime, importImage: async (archive) => void (await ctr(machine, 'images', 'import', archive)) };
}

/** Writes the pod network's configuration: a link from each pod to the node, addresses from the node's blocks, no source NAT. */
export function writePodNetwork(machine: Machine, blocks: readonly string[]): void {
  const ipam = {
    type: 'host-local',
    dataDir: join(machine.folder, 'addresses'),
    ranges: [blocks.map((subnet) => ({ subnet }))],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  const network = { cniVersion: '1.0.0', name: 'lab', plugins: [{ type: 'ptp', ipMasq: false, ipam }] };
  mkdirSync(join(machine.folder, 'cni'), { recursive: true });
  writeFileSync(join(machine.folder, 'cni', '10-lab.conflist'), JSON.stringify(network, null, 2));
}

async function ctr(machine: Machine, ...args: string[]): Promise<string> {
  return machine.run('ctr', '--address', runtimeSocket, '--namespace', 'k8s.io', ...args);
}

/** Processes cannot always be given a lower score for the kernel's choice when memory runs out, so none asks for one. */
function config(machine: Machine): string {
  return `version = 2
root = "${runtimeRoot(machine)}"
state = "/run/containerd/state"
disabled_plugins = [${['aufs', 'btrfs', 'devmapper', 'zfs'].map((name) => `"io.containerd.snapshotter.v1.${name}"`).join(', ')}]
[grpc]
  address = "${runtimeSocket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "lab.local/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  enable_unprivileged_icmp = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${machine.folder}/cni"
`;
}
