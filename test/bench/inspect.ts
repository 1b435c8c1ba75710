// 5,000 nodes with one Calico block each on a real API server: isthmus inspect against kubectl get.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '../../src/base/objects.ts';
import { toYaml } from '../../src/base/yaml.ts';
import { toolPath } from '../helpers/tools.ts';
import { calicoDefinitions, calicoObjects, type LabNode } from '../lab/calico.ts';
import { startCluster } from '../lab/cluster.ts';
import { nodeObject } from '../lab/load.ts';
import { discover, putAll } from '../lab/objects.ts';
import { waitFor } from '../lab/wait.ts';
import { formatSeconds, type Row, race } from './measure.ts';
import { cli } from './paths.ts';

const count = 5000;

export async function benchInspect(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-bench-'));
  const cluster = await startCluster({ name: 'large', controllers: false });
  try {
    const nodes = Array.from({ length: count }, (_, index) => labNode(index));
    await putAll(cluster.client, calicoDefinitions());
    await waitFor("Calico's kinds", async () => (await discover(cluster.client)).some(({ kind }) => kind === 'FelixConfiguration'));
    await putAll(cluster.client, [...nodes.map(fullNode), ...calicoObjects({ podCIDR: '10.0.0.0/11', nodes })]);
    writeFileSync(join(folder, 'mesh.yaml'), toYaml(mesh(cluster.kubeconfig)));
    const times = await race(3, {
      isthmus: { program: process.execPath, args: [cli, 'inspect', '-o', 'json'], cwd: folder },
      kubectl: {
        program: toolPath('kubectl'),
        args: ['--kubeconfig', cluster.kubeconfig, 'get', 'nodes,blockaffinities.crd.projectcalico.org', '-o', 'json'],
      },
    });
    const ratio = times.isthmus.seconds / times.kubectl.seconds;
    return [
      {
        what: `inspect, ${count} nodes`,
        measured: `${formatSeconds(times.isthmus.seconds)}, ${Math.round(times.isthmus.mebibytes)} MiB`,
        peer: `kubectl ${formatSeconds(times.kubectl.seconds)}, ${Math.round(times.kubectl.mebibytes)} MiB`,
        budget: `${ratio.toFixed(2)} x kubectl, at most 0.25, and at most 200 MiB`,
        met: ratio <= 0.25 && times.isthmus.mebibytes <= 200,
      },
    ];
  } finally {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function labNode(index: number): LabNode {
  const block = `10.${index >> 10}.${(index >> 2) & 255}.${(index & 3) * 64}/26`;
  return { name: `node-${index}`, address: `10.240.${index >> 8}.${index & 255}`, blocks: [block] };
}

/** A node as large as real ones are: a kubelet reports up to 50 images. */
function fullNode(node: LabNode): KubeObject {
  const base = nodeObject(node);
  const images = Array.from({ length: 50 }, (_, index) => ({
    names: [
      `registry.example/team/image-${index}@sha256:${'0123456789abcdef'.repeat(4)}`,
      `registry.example/team/image-${index}:v1.${index}.0`,
    ],
    sizeBytes: 50_000_000 + index,
  }));
  return { ...base, status: { ...(base['status'] as object), images } };
}

function mesh(kubeconfig: string): unknown {
  return {
    apiVersion: 'isthmus/v1',
    kind: 'Mesh',
    metadata: { name: 'bench' },
    istio: { version: '1.30.3' },
    clusters: [{ name: 'large', role: 'primary', context: 'large', kubeconfig }],
  };
}
