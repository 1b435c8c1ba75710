// containerd of one node, its pod network and its images.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabProcess } from '../process.ts';
import { waitFor } from '../wait.ts';
import type { Machine } from './machine.ts';

/** In the machine's own /run. */
export const runtimeSocket = '/run/containerd/containerd.sock';

/** Starts containerd and makes sure that it has the images, which it keeps over a restart of the machine. */
export async function startRuntime(machine: Machine, images: readonly string[]): Promise<LabProcess> {
  const file = join(machine.folder, 'containerd.toml');
  writeFileSync(file, config(machine.folder));
  const runtime = machine.start('containerd', 'containerd', '--config', file, '--log-level', 'warn');
  await waitFor(`containerd of ${machine.name}`, async () => {
    if (!runtime.isAlive()) throw new Error(runtime.lastLines(5));
    return ctr(machine, 'version');
  });
  const imported = join(machine.folder, 'images.txt');
  if (!existsSync(imported)) for (const image of images) await ctr(machine, 'images', 'import', image);
  writeFileSync(imported, `${images.join('\n')}\n`);
  return runtime;
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
function config(folder: string): string {
  return `version = 2
root = "${folder}/containerd"
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
    conf_dir = "${folder}/cni"
`;
}
