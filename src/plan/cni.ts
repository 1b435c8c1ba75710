// How a cluster's pod network is named to people.
import type { ClusterFacts } from '../facts/schema.ts';

type Cni = NonNullable<ClusterFacts['cni']>['value'];

/** Names as their projects write them. */
const names: ReadonlyMap<string, string> = new Map([
  ['calico', 'Calico'],
  ['cilium', 'Cilium'],
  ['antrea', 'Antrea'],
  ['weave', 'Weave'],
  ['aws', 'AWS VPC CNI'],
  ['azure', 'Azure CNI'],
  ['gke', 'GKE'],
  ['ovn-kubernetes', 'OVN-Kubernetes'],
  ['kube-ovn', 'Kube-OVN'],
  ['unknown', 'unknown CNI'],
]);

/** `Calico` of `calico`. */
export function cniName(name: string): string {
  return names.get(name.toLowerCase()) ?? name;
}

/** `Calico, no encapsulation`; the name alone where the encapsulation is unknown. */
export function describeCni({ name, encapsulation }: Cni): string {
  if (encapsulation === 'unknown') return cniName(name);
  return `${cniName(name)}, ${encapsulation === 'none' ? 'no encapsulation' : encapsulation}`;
}
