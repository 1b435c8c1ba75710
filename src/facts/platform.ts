// The platform a cluster runs on, from what its nodes say.
import type { Node } from './nodes.ts';
import type { Observed } from './schema.ts';

/** Prefixes of `spec.providerID`, as the cloud controller managers write it. */
const providers: readonly (readonly [prefix: string, platform: string])[] = [
  ['aws://', 'aws'],
  ['azure://', 'azure'],
  ['gce://', 'gce'],
  ['ibm://', 'ibm'],
  ['ibmcloud://', 'ibm'],
  ['openstack://', 'openstack'],
  ['digitalocean://', 'digitalocean'],
  ['hcloud://', 'hetzner'],
  ['qcloud://', 'tencent'],
  ['alicloud://', 'alibaba'],
  ['oci://', 'oracle'],
  ['ocid1.', 'oracle'],
  ['huaweicloud://', 'huawei'],
  ['cce://', 'baidu'],
  ['vsphere://', 'vsphere'],
  ['nsx://', 'vsphere'],
  ['k3s://', 'k3s'],
  ['kind://', 'kind'],
];

/** Label keys that name a platform whatever the provider ID says. */
const labels: readonly (readonly [key: string, platform: string])[] = [
  ['cloud.google.com/gke-nodepool', 'gke'],
  ['kubernetes.azure.com/cluster', 'azure'],
  ['eks.amazonaws.com/nodegroup', 'aws'],
  ['ibm-cloud.kubernetes.io/worker-id', 'ibm'],
  ['alibabacloud.com/nodepool-id', 'alibaba'],
  ['minikube.k8s.io/name', 'minikube'],
];

/** Parts of the kubelet's version that a distribution adds. */
const versions: readonly (readonly [part: string, platform: string])[] = [
  ['+icp', 'icp'],
  ['+k3s', 'k3s'],
  ['+rke2', 'rke2'],
];

/** aws, azure, gke, ibm, icp, k3s, ... or `bare` where nothing says otherwise; undefined without nodes. */
export function platformOf(nodes: readonly Node[]): Observed<string> | undefined {
  if (nodes.length === 0) return undefined;
  return byLabel(nodes) ?? byProvider(nodes) ?? byVersion(nodes) ?? { value: 'bare', source: 'no node names a provider' };
}

function byLabel(nodes: readonly Node[]): Observed<string> | undefined {
  return firstOf(nodes, (node) => {
    const hit = labels.find(([key]) => node.labels[key] !== undefined);
    return hit === undefined ? undefined : { value: hit[1], source: `label ${hit[0]} of Node ${node.name}` };
  });
}

function byProvider(nodes: readonly Node[]): Observed<string> | undefined {
  return firstOf(nodes, (node) => {
    const hit = providers.find(([prefix]) => node.providerID.startsWith(prefix));
    return hit === undefined ? undefined : { value: hit[1], source: `providerID of Node ${node.name}` };
  });
}

function byVersion(nodes: readonly Node[]): Observed<string> | undefined {
  return firstOf(nodes, (node) => {
    const hit = versions.find(([part]) => node.kubeletVersion.includes(part));
    return hit === undefined ? undefined : { value: hit[1], source: `kubelet version of Node ${node.name}` };
  });
}

function firstOf<T>(nodes: readonly Node[], look: (node: Node) => T | undefined): T | undefined {
  for (const node of nodes) {
    const hit = look(node);
    if (hit !== undefined) return hit;
  }
  return undefined;
}
