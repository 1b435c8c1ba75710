// What the tests of several primaries ask: which istiod serves whom, and what the loss of one does to the other cluster.
import { assert } from '../helpers/suite.ts';
import type { RealCluster } from '../lab/nodes/cluster.ts';
import { istiodReady } from '../lab/nodes/istio.ts';
import type { Lab } from '../lab/nodes/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { newcomersReady, newcomersRefused, podsOf, scaleNewcomers, startTraffic } from './istio-scene.ts';
import type { MeshFile, Operator } from './operator.ts';
import { balancedMesh } from './scene.ts';

/** Edits mesh.yaml for clusters of which each has an istiod. */
export function primariesMesh(mesh: MeshFile): void {
  balancedMesh(mesh);
  for (const cluster of mesh.clusters) Object.assign(cluster, { role: 'primary' });
}

/** Returns when the istiod of every cluster has read all clusters. */
export async function allSynced({ clusters }: Lab, operator: Operator): Promise<void> {
  for (const { name } of clusters)
    await waitFor(`istiod of ${name} to have read all clusters`, async () => {
      const listed = await operator.run('istioctl', '--context', name, 'remote-clusters');
      return clusters.every((cluster) => new RegExp(`^${cluster.name} .* synced `, 'm').test(listed));
    });
}

/** Clusters of the pods that the istiod of a cluster serves. */
export async function servedClusters(operator: Operator, { name }: RealCluster): Promise<string[]> {
  const [, ...proxies] = (await operator.run('istioctl', '--context', name, 'proxy-status')).trim().split('\n');
  return [...new Set(proxies.map((line) => line.split(/\s+/)[1] ?? ''))].sort();
}

/**
 * Stops the istiod of `lost` under traffic and starts it again: new pods wait there and start in `unharmed`, and no request fails.
 * BookInfo runs in both clusters, with its gateway in `unharmed`.
 */
export async function loseIstiod(unharmed: RealCluster, lost: RealCluster): Promise<void> {
  const traffic = startTraffic(unharmed.client);
  await scaleIstiod(lost, 0);
  await scaleNewcomers(lost.client, 1);
  const refusal = await newcomersRefused(lost.client);
  await scaleNewcomers(unharmed.client, 1);
  const seconds = await newcomersReady(unharmed.client, 1);
  const { requests, failures } = await traffic.stop();

  console.log(
    `  ${requests} requests without the istiod of ${lost.name}; a new pod of ${unharmed.name} was Ready after ${seconds.toFixed(1)} s`,
  );
  assert.match(refusal, 'failed calling webhook');
  assert.ok(requests > 20, `${requests} requests`);
  assert.equal(failures, []);
  await scaleIstiod(lost, 1);
  await istiodReady(lost.client);
  await scaleNewcomers(lost.client, 2);
  await newcomersReady(lost.client, 2);
}

/** Returns when so many pods of istiod are there, ready or not. */
async function scaleIstiod({ client }: RealCluster, replicas: number): Promise<void> {
  await client.mergePatch('/apis/apps/v1/namespaces/istio-system/deployments/istiod', { spec: { replicas } });
  await waitFor(`${replicas} pods of istiod`, async () => (await podsOf(client, 'istio-system', 'istiod')).length === replicas);
}
