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
export async function istioPrimary(options: PrimaryOptions): Promise<KubeObject[]> {
  const objects = await renderPrimary({ ...options, hub: 'registry.istio.io/release' });
  return [namespaceOf(options), ...objects.filter(({ kind }) => kind !== 'CustomResourceDefinition'), await rootCertificate()];
}

/** The namespace of a control plane, as a user of several clusters labels it. */
export function namespaceOf({ network }: Pick<PrimaryOptions, 'network'>): KubeObject {
  const labels = { 'topology.istio.io/network': network };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system', labels } };
}

export interface RenderOptions extends PrimaryOptions {
  /** Where images come from. */
  readonly hub: string;
  /** More values of Istio's charts, by path. */
  readonly values?: Readonly<Record<string, string>>;
}

/** What `istioctl manifest generate` makes of the minimal profile for a control plane that serves remotes. */
export async function renderPrimary({ cluster, meshID, network, version, hub, values }: RenderOptions): Promise<KubeObject[]> {
  const all = {
    'global.hub': hub,
    'global.tag': version,
    'global.meshID': meshID,
    'global.network': network,
    'global.multiCluster.clusterName': cluster,
    'pilot.env.EXTERNAL_ISTIOD': 'true',
    ...values,
  };
  const flags = Object.entries(all).flatMap(([name, value]) => ['--set', `values.${name}=${value}`]);
  const rendered = await run(toolPath('istioctl'), ['manifest', 'generate', '--set', 'profile=minimal', ...flags], { maxBuffer: 64 << 20 });
  return parseYamlStream(rendered.stdout, 'istioctl manifest generate') as KubeObject[];
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
