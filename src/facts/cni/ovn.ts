// OVN-based networks: pods are reached through logical switches, so a plain route to the node does not lead to them.
import { groupPath } from '../api-groups.ts';
import type { CniProbe } from './types.ts';

const subnetsAnnotation = 'k8s.ovn.org/node-subnets';

/** OVN-Kubernetes (OpenShift's default), recognised by the annotation on its nodes. */
export const probeOvnKubernetes: CniProbe = async (scene) => {
  if (!scene.nodes.some((node) => node.annotations[subnetsAnnotation] !== undefined)) return undefined;
  return {
    cni: { value: { name: 'ovn-kubernetes', encapsulation: 'geneve', flat: false }, source: `annotation ${subnetsAnnotation}` },
    blocks: new Map(),
  };
};

/** Kube-OVN, recognised by its API group: its subnets are not bound to nodes. */
export const probeKubeOvn: CniProbe = async (scene) => {
  if (groupPath(scene.groups, 'kubeovn.io', ['v1']) === undefined) return undefined;
  return {
    cni: { value: { name: 'kube-ovn', encapsulation: 'geneve', flat: false }, source: 'API group kubeovn.io' },
    blocks: new Map(),
  };
};
