// Facts of clusters of any size, as inspect would have saved them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatFacts } from '../../src/facts/file.ts';
import type { ClusterFacts } from '../../src/facts/schema.ts';

export interface Size {
  readonly nodes: number;
  /** Pod blocks of each node. */
  readonly blocks: number;
}

/** Cluster 1 or 2 with nodes in 10.240.0.0/16 or 10.241.0.0/16 and pods in 10.0.0.0/11 or 10.64.0.0/11, one /26 per block. */
export function largeFacts(cluster: 1 | 2, size: Size): ClusterFacts {
  const source = 'bench';
  const podBase = cluster === 1 ? 0 : 64;
  return {
    apiVersion: 'isthmus/v1',
    kind: 'ClusterFacts',
    cluster: `cluster${cluster}`,
    collectedAt: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    origin: 'api',
    uid: { value: `00000000-0000-4000-8000-00000000000${cluster}`, source },
    kubernetes: { value: '1.34.4', source },
    platform: { value: 'bare', source },
    cni: { value: { name: 'calico', encapsulation: 'none', flat: true }, source },
    pools: [{ name: 'default', cidr: `10.${podBase}.0.0/11`, disabled: false, natOutgoing: true, encapsulation: 'none' }],
    podCIDRs: { value: [`10.${podBase}.0.0/11`], source },
    serviceCIDRs: { value: [`172.${15 + cluster}.0.0/16`], source },
    nodes: Array.from({ length: size.nodes }, (_, index) => node(cluster, index, size)),
    loadBalancer: { value: 'keepalived', source },
    services: [],
    problems: [],
    ...(cluster === 1 ? { istio: primaryIstio() } : {}),
  };
}

/** Writes facts/cluster1.yaml and facts/cluster2.yaml below the folder. */
export function writeFacts(folder: string, size: Size): void {
  mkdirSync(join(folder, 'facts'), { recursive: true });
  for (const cluster of [1, 2] as const)
    writeFileSync(join(folder, 'facts', `cluster${cluster}.yaml`), formatFacts(largeFacts(cluster, size)));
}

function node(cluster: 1 | 2, index: number, { nodes, blocks }: Size): ClusterFacts['nodes'][number] {
  const address = `10.${239 + cluster}.${index >> 8}.${index & 255}`;
  return {
    name: `node-${index}`,
    uid: `00000000-0000-4000-800${cluster}-${index.toString(16).padStart(12, '0')}`,
    os: 'linux',
    ready: true,
    deleting: false,
    virtual: false,
    addresses: [{ value: address, source: 'InternalIP' }],
    subnets: [`10.240.0.0/12`],
    // Blocks of one node are far apart, as they are in a cluster that has lived for a while, so that few aggregate.
    blocks: Array.from({ length: blocks }, (_, block) => ({ cidr: blockCidr(cluster, index + block * nodes), source: 'BlockAffinity' })),
    foreignRoutes: [],
  };
}

function blockCidr(cluster: 1 | 2, index: number): string {
  const base = cluster === 1 ? 0 : 64;
  return `10.${base + (index >> 10)}.${(index >> 2) & 255}.${(index & 3) * 64}/26`;
}

function primaryIstio(): NonNullable<ClusterFacts['istio']> {
  return {
    namespace: 'istio-system',
    revisions: [
      {
        name: '',
        version: '1.30.3',
        selector: { app: 'istiod', istio: 'pilot' },
        readyPods: 1,
        env: { EXTERNAL_ISTIOD: 'true', CLUSTER_ID: 'cluster1' },
        network: 'network1',
        meshID: 'bench',
        trustDomain: 'cluster.local',
      },
    ],
    injectionWebhooks: ['istio-sidecar-injector'],
  };
}
