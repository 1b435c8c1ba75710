// The CNI probes in their order: the first match wins, the generic one comes last and matches always.
import { probeCalico } from './calico.ts';
import { probeCilium } from './cilium.ts';
import { probeAws, probeAzure, probeGke } from './cloud.ts';
import { probeFlannel } from './flannel.ts';
import { probeGeneric } from './generic.ts';
import { probeKubeOvn, probeOvnKubernetes } from './ovn.ts';
import type { CniFacts, CniProbe, Scene } from './types.ts';

/**
 * GKE comes first: its nodes have alias ranges whichever CNI enforces policy. Calico and Cilium with an IPAM of their own come
 * before the clouds, whose DaemonSets may be left over.
 */
const probes: readonly CniProbe[] = [
  probeGke,
  probeOvnKubernetes,
  probeKubeOvn,
  probeCalico,
  probeCilium,
  probeFlannel,
  probeAws,
  probeAzure,
];

/** What is known about the cluster's CNI and the pod blocks of its nodes. */
export async function readCni(scene: Scene): Promise<CniFacts> {
  for (const probe of probes) {
    const facts = await probe(scene);
    if (facts !== undefined) return facts;
  }
  return probeGeneric(scene);
}
