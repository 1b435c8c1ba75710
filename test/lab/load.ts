// Fills a cluster: nodes in the shape of the original procedure, Calico's objects and, for a primary, Istio's.
import type { KubeObject } from '../../src/base/objects.ts';
import { type CalicoOptions, calicoDefinitions, calicoObjects, type LabNode } from './calico.ts';
import type { ApiClient } from './client.ts';
import { istioPrimary, type PrimaryOptions } from './istio.ts';
import { discover, putAll } from './objects.ts';
import { waitFor } from './wait.ts';

export interface Shape {
  readonly podCIDR: string;
  readonly serviceCIDR: string;
  readonly nodes: readonly LabNode[];
}

/** The two clusters of the original procedure: addresses, pod CIDRs and blocks as they were. */
export const originalClusters: Readonly<Record<'cluster1' | 'cluster2', Shape>> = {
  cluster1: {
    podCIDR: '10.1.0.0/16',
    serviceCIDR: '10.100.0.0/16',
    nodes: [node('9.111.255.21', '10.1.198.128/26'), node('9.111.255.129', '10.1.158.192/26'), node('9.111.255.29', '10.1.43.0/26')],
  },
  cluster2: {
    podCIDR: '20.1.0.0/16',
    serviceCIDR: '10.200.0.0/16',
    nodes: [node('9.111.255.77', '20.1.47.128/26'), node('9.111.255.155', '20.1.35.192/26'), node('9.111.255.152', '20.1.31.128/26')],
  },
};

/** Puts nodes and Calico's objects into a cluster. */
export async function loadNodes(client: ApiClient, shape: Shape): Promise<void> {
  await putAll(client, [...calicoDefinitions(), ...shape.nodes.map(nodeObject)]);
  await putCalicoObjects(client, shape);
}

/** Puts Calico's pool, configuration and blocks into a cluster whose API server is just learning Calico's kinds. */
export async function putCalicoObjects(client: ApiClient, shape: CalicoOptions): Promise<void> {
  const objects = calicoObjects(shape);
  await waitFor("Calico's kinds to be served", async () => {
    const served = new Set((await discover(client)).map(({ kind }) => kind));
    return objects.every(({ kind }) => served.has(kind));
  });
  await putAll(client, objects);
}

/** Puts an Istio control plane into a cluster and, where there are controllers, waits for its pod. */
export async function loadPrimary(client: ApiClient, options: PrimaryOptions): Promise<void> {
  const objects = await istioPrimary(options);
  await putAll(
    client,
    objects.filter(({ kind }) => kind === 'Namespace'),
  );
  await putAll(
    client,
    objects.filter(({ kind }) => kind !== 'Namespace'),
  );
  await waitFor('istiod to be ready', async () => {
    const deployment = (await client.get('/apis/apps/v1/namespaces/istio-system/deployments/istiod')) as {
      status?: { readyReplicas?: number };
    };
    return (deployment.status?.readyReplicas ?? 0) > 0;
  });
}

function node(address: string, block: string): LabNode {
  return { name: address, address, blocks: [block] };
}

/** A Node whose kubelet has reported once; the pod CIDR is its first block, so that pods get addresses of it. */
export function nodeObject({ name, address, blocks }: LabNode): KubeObject {
  const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels, annotations: { 'projectcalico.org/IPv4Address': `${address}/24` } },
    spec: { podCIDR: blocks[0], podCIDRs: blocks.slice(0, 1) },
    status: {
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: name },
      ],
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }],
      capacity: { cpu: '8', memory: '32Gi', pods: '110' },
      allocatable: { cpu: '8', memory: '32Gi', pods: '110' },
      nodeInfo: {
        architecture: 'amd64',
        bootID: '',
        containerRuntimeVersion: 'containerd://1.6.20',
        kernelVersion: '6.1.0',
        kubeProxyVersion: '',
        kubeletVersion: 'v1.34.4',
        machineID: '',
        operatingSystem: 'linux',
        osImage: 'Debian GNU/Linux 12 (bookworm)',
        systemUUID: '',
      },
    },
  };
}
