// Charts for two clusters of three nodes from saved facts, against istioctl's rendering of one remote profile.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toYaml } from '../../src/base/yaml.ts';
import { toolPath } from '../helpers/tools.ts';
import { writeFacts } from './facts.ts';
import { formatSeconds, type Row, race } from './measure.ts';
import { cli } from './paths.ts';

export async function benchGenerate(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-bench-'));
  try {
    writeFacts(folder, { nodes: 3, blocks: 1 });
    writeFileSync(join(folder, 'mesh.yaml'), toYaml(meshOfFacts()));
    const profile = ['manifest', 'generate', '--set', 'profile=remote', '--set', 'values.global.remotePilotAddress=10.0.0.5'];
    const times = await race(9, {
      isthmus: { program: process.execPath, args: [cli, 'generate', '--out', 'out'], cwd: folder },
      istioctl: { program: toolPath('istioctl'), args: profile, cwd: folder },
    });
    const ratio = times.isthmus.seconds / times.istioctl.seconds;
    return [
      {
        what: 'generate, 2 clusters of 3 nodes from facts',
        measured: `${formatSeconds(times.isthmus.seconds)}, ${Math.round(times.isthmus.mebibytes)} MiB`,
        peer: `istioctl ${formatSeconds(times.istioctl.seconds)}, ${Math.round(times.istioctl.mebibytes)} MiB`,
        budget: `${ratio.toFixed(2)} x istioctl, at most 0.60`,
        met: ratio <= 0.6,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A mesh of the two facts files in which every address is known, so that every chart is rendered. */
export function meshOfFacts(): unknown {
  return {
    apiVersion: 'isthmus/v1',
    kind: 'Mesh',
    metadata: { name: 'bench' },
    istio: { version: '1.30.3' },
    clusters: [
      {
        name: 'cluster1',
        role: 'primary',
        facts: 'facts/cluster1.yaml',
        loadBalancer: { platform: 'keepalived', addresses: { 'istiod-ilb': '10.240.255.5' } },
      },
      { name: 'cluster2', role: 'remote', facts: 'facts/cluster2.yaml', apiServer: 'https://10.241.255.5:6443' },
    ],
  };
}
