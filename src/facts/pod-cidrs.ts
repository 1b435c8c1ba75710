// Pod CIDRs where the CNI has no configuration of its own: what the cluster was set up with, or what its nodes were given.
import { aggregateTexts, networkCidrs, splitCidrs } from './cidrs.ts';
import type { ControlPlane } from './control-plane.ts';
import type { Reads } from './reads.ts';
import type { Block, Observed } from './schema.ts';

const unknown = {
  code: 'ISM007',
  message: 'The pod CIDRs are unknown',
  hint: 'Write them into mesh.yaml as podCIDRs.',
};

/**
 * Pod CIDRs of a cluster whose nodes get their blocks from Kubernetes. The blocks themselves are the last source: they are
 * exact today and leave out nodes of tomorrow.
 */
export async function readPodCIDRs(
  reads: Reads,
  controlPlane: ControlPlane,
  blocks: ReadonlyMap<string, readonly Block[]>,
): Promise<Observed<readonly string[]> | undefined> {
  const asked = [
    () => controlPlane.kubeadm('podSubnet'),
    () => controlPlane.flag('kube-controller-manager', '--cluster-cidr'),
    () => controlPlane.kubeProxyClusterCIDR(),
    () => controlPlane.flag('kube-proxy', '--cluster-cidr'),
  ];
  for (const ask of asked) {
    const answer = await ask();
    const value = answer === undefined ? [] : networkCidrs(splitCidrs(answer.value), answer.source, reads.report);
    if (answer !== undefined && value.length > 0) return { value, source: answer.source };
  }
  return fromBlocks(reads, blocks);
}

function fromBlocks(reads: Reads, blocks: ReadonlyMap<string, readonly Block[]>): Observed<readonly string[]> | undefined {
  const value = aggregateTexts([...blocks.values()].flatMap((list) => list.map((block) => block.cidr)));
  if (value.length > 0) return { value, source: `the pod blocks of ${blocks.size} nodes` };
  reads.report(unknown);
  return undefined;
}
