// Two clusters that no route can join: they have the same pod CIDR, and the same blocks on their nodes.
import { join } from 'node:path';
import type { RealCluster } from './cluster.ts';
import { type IstioLab, startIstioLab } from './istio-lab.ts';
import type { Lab } from './lab.ts';
import { startNodeLoadBalancer } from './load-balancer.ts';
import { type ClusterShape, meshShape } from './shape.ts';

/** Addresses that the load balancer of each further cluster gives out, in order of cluster. */
const furtherAddresses = [
  ['9.111.255.6', '9.111.255.8'],
  ['9.111.255.11', '9.111.255.12'],
  ['9.111.255.13', '9.111.255.14'],
];

/** Clusters of two nodes; each of those at `twins` has the pod CIDR and the blocks of the first one. */
export function apartShape(clusters: number, twins: readonly number[]): ClusterShape[] {
  const shapes = meshShape({ clusters, nodes: 2 });
  const [first] = shapes;
  return shapes.map((shape, index) => {
    if (first === undefined || !twins.includes(index)) return shape;
    const nodes = shape.nodes.map((node, position) => ({ ...node, blocks: first.nodes[position]?.blocks ?? [] }));
    return { ...shape, podCIDR: first.podCIDR, nodes };
  });
}

/** Starts the lab with Istio in the first cluster, and a load balancer in every one. */
export async function startApartLab(shape: readonly ClusterShape[]): Promise<IstioLab> {
  const lab = await startIstioLab({ say: console.log, shape });
  startFurtherLoadBalancers(lab, lab.clusters.slice(1));
  return lab;
}

/** Starts a load balancer for each of at most three clusters beside that of startIstioLab. */
export function startFurtherLoadBalancers({ folder: lab }: Pick<Lab, 'folder'>, clusters: readonly RealCluster[]): void {
  for (const [index, { name, server, folder, nodes }] of clusters.entries())
    startNodeLoadBalancer({
      lab,
      keep: false,
      cluster: name,
      server,
      pki: join(folder, 'pki'),
      router: index + 2,
      nodes: [...nodes.values()].map(({ machine }) => machine.name).reverse(),
      addresses: furtherAddresses[index] ?? [],
    });
}
