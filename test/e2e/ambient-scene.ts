// The stage of the ambient test: two primaries in networks of their own, each with a real istiod, load balancers, and the built CLI.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toYaml } from '../../src/base/yaml.ts';
import { gatewayApiVersion } from '../../src/plan/control-plane/ambient.ts';
import type { Helm } from '../helpers/helm.ts';
import { isthmusCommand, type Outcome, startIn, succeeded } from '../helpers/shell.ts';
import { type AmbientIstiod, loadAmbientPrimary, loadGatewayApi, startAmbientIstiod } from '../lab/ambient.ts';
import { type Cluster, startCluster } from '../lab/cluster.ts';
import { loadNodes, originalClusters } from '../lab/load.ts';
import { startLoadBalancer } from '../lab/load-balancer.ts';
import { environment } from './scene.ts';

export interface AmbientScene {
  readonly one: Cluster;
  readonly two: Cluster;
  readonly clusters: readonly Cluster[];
  readonly folder: string;
  /** The istiod of cluster1; that of cluster2 starts with `completeTwo`. */
  readonly istiod: AmbientIstiod;
  /** Gives cluster2 the Gateway API, which it lacks at first, and its istiod. */
  completeTwo(): Promise<void>;
  run(helm: Helm, ...args: string[]): Promise<Outcome>;
  isthmus(helm: Helm, ...args: string[]): Promise<Outcome>;
  stop(): Promise<void>;
}

/** Address that cluster1's load balancer gives, and the one that mesh.yaml asks for in cluster2. */
export const gatewayAddresses = { cluster1: '9.111.255.5', cluster2: '9.111.255.7' } as const;

export async function startAmbientScene(): Promise<AmbientScene> {
  const [one, two] = await Promise.all([startMember('cluster1', 'network1'), startMember('cluster2', 'network2')]);
  await loadGatewayApi(one.client, gatewayApiVersion);
  const istiod = await startAmbientIstiod(one);
  const balancers = [startLoadBalancer(one.client, [gatewayAddresses.cluster1]), startLoadBalancer(two.client, [])];
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-ambient-'));
  writeFileSync(join(folder, 'mesh.yaml'), toYaml(meshOf(one, two)));
  const start = (helm: Helm, args: readonly string[]) =>
    startIn({ folder, env: environment(folder, helm, [one, two]) }, isthmusCommand(...args));
  return {
    one,
    two,
    clusters: [one, two],
    folder,
    istiod,
    completeTwo: async () => {
      await loadGatewayApi(two.client, gatewayApiVersion);
      await startAmbientIstiod(two);
    },
    run: (helm, ...args) => start(helm, args).outcome,
    isthmus: (helm, ...args) => succeeded(start(helm, args), `isthmus ${args.join(' ')}`),
    stop: async () => {
      await Promise.all(balancers.map((each) => each.stop()));
      await Promise.all([one.stop(), two.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startMember(name: 'cluster1' | 'cluster2', network: string): Promise<Cluster> {
  const shape = originalClusters[name];
  const cluster = await startCluster({ name, serviceCIDR: shape.serviceCIDR });
  await loadNodes(cluster.client, shape);
  await loadAmbientPrimary(cluster.client, { cluster: name, meshID: 'bookinfo', network, version: '1.30.3' });
  return cluster;
}

function meshOf(one: Cluster, two: Cluster): object {
  const member = (cluster: Cluster, loadBalancer: object) => ({
    name: cluster.name,
    role: 'primary',
    context: cluster.name,
    apiServer: reachable(cluster),
    loadBalancer,
  });
  return {
    apiVersion: 'isthmus/v1',
    kind: 'Mesh',
    metadata: { name: 'bookinfo' },
    istio: { version: '1.30.3', dataplane: 'ambient' },
    clusters: [
      member(one, { platform: 'gke', sourceRanges: ['9.111.255.0/24'] }),
      member(two, { platform: 'keepalived', addresses: { 'istio-eastwestgateway': gatewayAddresses.cluster2 } }),
    ],
  };
}

/** Both istiods run on this machine, so loopback leads them to the right place; a URL that says so would be refused. */
function reachable({ server }: Cluster): string {
  return server.replace('127.0.0.1', '[::ffff:127.0.0.1]');
}
