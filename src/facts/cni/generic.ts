// Every other CNI that uses node.spec.podCIDRs, named after its DaemonSet where that is known.
import { nodeBlocks } from './node-blocks.ts';
import type { CniFacts, Scene } from './types.ts';

interface Known {
  readonly daemonSet: string;
  readonly name: string;
  readonly encapsulation: string;
}

/** Encapsulation is that of the default configuration. */
const known: readonly Known[] = [
  { daemonSet: 'kube-system/kindnet', name: 'kindnet', encapsulation: 'none' },
  { daemonSet: 'kube-system/kube-router', name: 'kube-router', encapsulation: 'none' },
  { daemonSet: 'kube-system/antrea-agent', name: 'antrea', encapsulation: 'geneve' },
];

/** Weave hands out single addresses of one range, with no block per node. */
const weave = 'kube-system/weave-net';

/** Matches every cluster: the last probe. */
export function probeGeneric(scene: Scene): CniFacts {
  if (scene.daemonSets.has(weave)) {
    return {
      cni: { value: { name: 'weave', encapsulation: 'vxlan', flat: false }, source: `DaemonSet ${weave}` },
      blocks: new Map(),
    };
  }
  const hit = known.find(({ daemonSet }) => scene.daemonSets.has(daemonSet));
  const blocks = nodeBlocks(scene.nodes, scene.reads.report);
  if (hit === undefined) return { cni: { value: { name: 'unknown', encapsulation: 'none', flat: true }, source: 'no known CNI' }, blocks };
  const { name, encapsulation, daemonSet } = hit;
  return { cni: { value: { name, encapsulation, flat: true }, source: `DaemonSet ${daemonSet}` }, blocks };
}
