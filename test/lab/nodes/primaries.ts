// The lab for several primaries: a load balancer for every cluster, and an istiod in each where a test wants one.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '../../../src/base/objects.ts';
import { buildIstioImages } from '../istio-images.ts';
import { putAll } from '../objects.ts';
import { makeAuthority } from '../pki.ts';
import { startFurtherLoadBalancers } from './apart.ts';
import type { RealCluster } from './cluster.ts';
import { installPrimary } from './istio.ts';
import { type Lab, startLab } from './lab.ts';
import type { ClusterShape } from './shape.ts';

/** Starts clusters that have a load balancer each, and Istio's images, but no istiod. */
export async function startBalancedLab(shape: readonly ClusterShape[]): Promise<Lab> {
  const { pilot, proxyv2 } = await buildIstioImages(console.log);
  const lab = await startLab({ shape, images: [proxyv2, pilot] });
  startFurtherLoadBalancers(lab, lab.clusters);
  return lab;
}

/** Starts them with an istiod in each, all in one network; every istiod makes a root of its own, as it does when nobody gives it one. */
export async function startPrimariesLab(shape: readonly ClusterShape[]): Promise<Lab> {
  const lab = await startBalancedLab(shape);
  const install = ({ name, client }: RealCluster) => installPrimary(client, { cluster: name, meshID: 'bookinfo', network: 'network1' });
  try {
    await Promise.all(lab.clusters.map(install));
    return lab;
  } catch (error) {
    await lab.stop();
    throw error;
  }
}

/** Gives every cluster the Secret that istiod signs with, all of the same root; an istiod that runs must be restarted. */
export async function giveOneRoot({ clusters }: Pick<Lab, 'clusters'>): Promise<void> {
  const signer = await makeSigner();
  await Promise.all(clusters.map(({ client }) => putAll(client, [signer])));
}

/** The root itself, which is enough for a lab. */
async function makeSigner(): Promise<KubeObject> {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-signer-'));
  try {
    await makeAuthority(folder, 'root', 'lab');
    const [certificate, key] = ['root.crt', 'root.key'].map((file) => readFileSync(join(folder, file)).toString('base64'));
    const data = { 'ca-cert.pem': certificate, 'ca-key.pem': key, 'cert-chain.pem': certificate, 'root-cert.pem': certificate };
    return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'cacerts', namespace: 'istio-system' }, data };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
