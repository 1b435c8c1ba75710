// Clouds whose own network carries pod addresses: nothing to route, the cloud's route tables and firewalls decide.
import { nodeBlocks } from './node-blocks.ts';
import type { CniProbe } from './types.ts';

/** AWS VPC CNI: pods have addresses of the VPC, no node has a block. */
export const probeAws: CniProbe = async (scene) => {
  if (!scene.daemonSets.has('kube-system/aws-node')) return undefined;
  return {
    cni: { value: { name: 'aws', encapsulation: 'none', flat: true }, source: 'DaemonSet kube-system/aws-node' },
    blocks: new Map(),
  };
};

/** Azure CNI: pods have addresses of the VNet, or in overlay mode addresses that exist only inside the cluster. */
export const probeAzure: CniProbe = async (scene) => {
  if (!scene.daemonSets.has('kube-system/azure-cns')) return undefined;
  const overlay = scene.nodes.some((node) => node.labels['kubernetes.azure.com/podnetwork-type'] === 'overlay');
  return {
    cni: {
      value: { name: 'azure', encapsulation: overlay ? 'azure-overlay' : 'none', flat: !overlay },
      source: overlay ? 'label kubernetes.azure.com/podnetwork-type' : 'DaemonSet kube-system/azure-cns',
    },
    blocks: new Map(),
  };
};

/** GKE, VPC-native: each node's pod CIDR is an alias range of the VPC. */
export const probeGke: CniProbe = async (scene) => {
  if (scene.platform !== 'gke') return undefined;
  return {
    cni: { value: { name: 'gke', encapsulation: 'none', flat: true }, source: 'label cloud.google.com/gke-nodepool' },
    blocks: nodeBlocks(scene.nodes, scene.reads.report),
  };
};
