// The bundle of a mesh of 20 clusters with 5,000 routes each, and how long it takes to account for its every byte.
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toYaml } from '../../src/base/yaml.ts';
import { formatFacts } from '../../src/facts/file.ts';
import type { ClusterFacts } from '../../src/facts/schema.ts';
import { toolPath } from '../helpers/tools.ts';
import { largeFacts } from './facts.ts';
import { formatSeconds, type Row, race } from './measure.ts';
import { cli } from './paths.ts';

const clusters = 20;
/** One block each, so that every cluster gets 19 times as many routes. */
const nodes = 264;

export async function benchBundle(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-bench-'));
  try {
    writeMesh(folder);
    const isthmus = (...args: string[]) => ({
      program: process.execPath,
      args: [cli, ...args],
      cwd: folder,
      env: { ISTHMUS_HELM: toolPath('helm4') },
    });
    await race(0, { generate: isthmus('generate') });
    const { bundle } = await race(1, { bundle: isthmus('bundle', '--out', 'mesh.tgz') });
    const { verify } = await race(3, { verify: isthmus('bundle', 'verify', 'mesh.tgz') });
    const { tar } = await race(3, { tar: { program: 'tar', args: ['-czf', 'out.tgz', 'out'], cwd: folder } });
    const size = statSync(join(folder, 'mesh.tgz')).size / 1e6;
    const out = statSync(join(folder, 'out.tgz')).size / 1e6;
    return [
      {
        what: `bundle, ${clusters} clusters with 5000 routes each`,
        measured: `${formatSeconds(bundle.seconds)}, ${Math.round(bundle.mebibytes)} MiB; archive ${size.toFixed(1)} MB`,
        peer: `tar -z of out/ ${formatSeconds(tar.seconds)}, ${out.toFixed(1)} MB`,
        budget: `at most 60 s, 512 MiB and twice the archive of out/`,
        met: bundle.seconds <= 60 && bundle.mebibytes <= 512 && size <= 2 * out,
      },
      {
        what: 'bundle verify of it',
        measured: `${formatSeconds(verify.seconds)}, ${Math.round(verify.mebibytes)} MiB`,
        peer: '',
        budget: 'at most 10 s and 256 MiB',
        met: verify.seconds <= 10 && verify.mebibytes <= 256,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeMesh(folder: string): void {
  mkdirSync(join(folder, 'facts'));
  const numbers = Array.from({ length: clusters }, (_, index) => index + 1);
  for (const number of numbers) writeFileSync(join(folder, 'facts', `cluster${number}.yaml`), formatFacts(factsOf(number)));
  const mesh = {
    apiVersion: 'isthmus/v1',
    kind: 'Mesh',
    metadata: { name: 'bench' },
    istio: { version: '1.30.3' },
    clusters: numbers.map((number) => ({
      name: `cluster${number}`,
      facts: `facts/cluster${number}.yaml`,
      ...(number === 1
        ? { role: 'primary', loadBalancer: { platform: 'keepalived', addresses: { 'istiod-ilb': '10.201.255.5' } } }
        : { role: 'remote', apiServer: `https://10.${200 + number}.255.6:6443` }),
    })),
  };
  writeFileSync(join(folder, 'mesh.yaml'), toYaml(mesh));
}

/** Nodes in 10.(200 + number).0.0/16, pods in a /14 from 10.4.0.0 on, all on one link. */
function factsOf(number: number): ClusterFacts {
  const base = largeFacts(number === 1 ? 1 : 2, { nodes, blocks: 1 });
  const pods = `10.${number * 4}.0.0/14`;
  const source = 'bench';
  return {
    ...base,
    cluster: `cluster${number}`,
    uid: { value: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`, source },
    pools: base.pools.map((pool) => ({ ...pool, cidr: pods })),
    podCIDRs: { value: [pods], source },
    serviceCIDRs: { value: [`192.168.${number * 8}.0/21`], source },
    nodes: base.nodes.map((node, index) => ({
      ...node,
      uid: `00000000-0000-4000-8${String(number).padStart(3, '0')}-${index.toString(16).padStart(12, '0')}`,
      addresses: [{ value: `10.${200 + number}.${index >> 8}.${index & 255}`, source }],
      subnets: ['10.192.0.0/10'],
      blocks: [{ cidr: `10.${number * 4 + (index >> 10)}.${(index >> 2) & 255}.${(index & 3) * 64}/26`, source }],
    })),
  };
}
