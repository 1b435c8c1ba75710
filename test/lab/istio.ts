// An Istio primary as objects: what istioctl renders for it, and the certificate that istiod would have published.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KubeObject } from '../../src/base/objects.ts';
import { parseYamlStream } from '../../src/base/yaml.ts';
import { toolPath } from '../helpers/tools.ts';
import { makeAuthority } from './pki.ts';

const run = promisify(execFile);

export interface PrimaryOptions {
  readonly cluster: string;
  readonly meshID: string;
  readonly network: string;
  readonly version: string;
}

/** Objects of a control plane that serves remotes, without custom resource definitions; apply the namespace first. */
export async function istioPrimary({ cluster, meshID, network, version }: PrimaryOptions): Promise<KubeObject[]> {
  const values = {
    'global.hub': 'registry.istio.io/release',
    'global.tag': version,
    'global.meshID': meshID,
    'global.network': network,
    'global.multiCluster.clusterName': cluster,
    'pilot.env.EXTERNAL_ISTIOD': 'true',
  };
  const flags = Object.entries(values).flatMap(([name, value]) => ['--set', `values.${name}=${value}`]);
  const rendered = await run(toolPath('istioctl'), ['manifest', 'generate', '--set', 'profile=minimal', ...flags], { maxBuffer: 64 << 20 });
  const objects = parseYamlStream(rendered.stdout, 'istioctl manifest generate') as KubeObject[];
  const labels = { 'topology.istio.io/network': network };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system', labels } },
    ...objects.filter(({ kind }) => kind !== 'CustomResourceDefinition'),
    await rootCertificate(),
  ];
}

async function rootCertificate(): Promise<KubeObject> {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-root-'));
  try {
    await makeAuthority(folder, 'root', 'cluster.local');
    const certificate = readFileSync(join(folder, 'root.crt'), 'utf8');
    return {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio-ca-root-cert', namespace: 'istio-system', labels: { 'istio.io/config': 'true' } },
      data: { 'root-cert.pem': certificate },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
