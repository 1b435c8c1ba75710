// The lab with an istiod in every cluster.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '../../../src/base/objects.ts';
import { namespaceOf } from '../istio.ts';
import { buildIstioImages } from '../istio-images.ts';
import { putAll } from '../objects.ts';
import { makeAuthority } from '../pki.ts';
import { startFurtherLoadBalancers } from './apart.ts';
import { installPrimary } from './istio.ts';
import { type Lab, startLab } from './lab.ts';
import type { ClusterShape } from './shape.ts';

export interface PrimariesOptions {
  readonly shape: readonly ClusterShape[];
  /** Network of a cluster by its name. */
  readonly networkOf: (cluster: string) => string;
  /** Whether every istiod makes a root of its own, as it does when nobody gives it one. */
  readonly ownRoots?: boolean;
}

/** Starts the lab, and returns when the istiod of every cluster is ready. Each cluster has a load balancer of its own. */
export async function startPrimariesLab({ shape, networkOf, ownRoots = false }: PrimariesOptions): Promise<Lab> {
  const { pilot, proxyv2 } = await buildIstioImages(console.log);
  const lab = await startLab({ shape, images: [proxyv2, pilot] });
  try {
    startFurtherLoadBalancers(lab, lab.clusters);
    await Promise.all(lab.clusters.map(({ client, name }) => putAll(client, [namespaceOf({ network: networkOf(name) })])));
    if (!ownRoots) await giveOneRoot(lab);
    await Promise.all(
      lab.clusters.map(({ name, client }) => installPrimary(client, { cluster: name, meshID: 'bookinfo', network: networkOf(name) })),
    );
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
