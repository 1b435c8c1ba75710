// Flannel (also in k3s and Canal): blocks are node.spec.podCIDRs, the backend is an annotation.
import * as z from 'zod';
import { splitCidrs, validCidrs } from '../cidrs.ts';
import { sortedUnique } from '../lists.ts';
import { ConfigMap, configMapPath } from '../objects.ts';
import type { Observed } from '../schema.ts';
import { nodeBlocks } from './node-blocks.ts';
import type { CniProbe, Scene } from './types.ts';

const backendAnnotation = 'flannel.alpha.coreos.com/backend-type';

/** ConfigMaps that hold net-conf.json, by who installed flannel; k3s keeps it in a file. */
const configMaps = [
  ['kube-flannel', 'kube-flannel-cfg'],
  ['kube-system', 'kube-flannel-cfg'],
  ['kube-system', 'canal-config'],
] as const;

const NetConf = z.object({ Network: z.string().optional(), IPv6Network: z.string().optional() });

/** Flannel, recognised by the annotation it puts on every node. */
export const probeFlannel: CniProbe = async (scene) => {
  const backends = sortedUnique(scene.nodes.flatMap((node) => node.annotations[backendAnnotation] ?? []));
  if (backends.length === 0) return undefined;
  const podCIDRs = scene.platform === 'k3s' ? undefined : await readNetConf(scene);
  const wrapped = backends.filter((backend) => backend !== 'host-gw');
  return {
    cni: {
      value: { name: 'flannel', encapsulation: wrapped.length === 0 ? 'none' : wrapped.join(', '), flat: true },
      source: `annotation ${backendAnnotation}`,
    },
    blocks: nodeBlocks(scene.nodes, scene.reads.report),
    ...(podCIDRs === undefined ? {} : { podCIDRs }),
  };
};

async function readNetConf(scene: Scene): Promise<Observed<readonly string[]> | undefined> {
  for (const [namespace, name] of configMaps) {
    const text = (await scene.reads.get(configMapPath(namespace, name), ConfigMap))?.data.get('net-conf.json');
    if (text !== undefined) return networkOf(text, `ConfigMap ${namespace}/${name} net-conf.json`, scene);
  }
  return undefined;
}

function networkOf(text: string, source: string, scene: Scene): Observed<readonly string[]> | undefined {
  const conf = NetConf.safeParse(fromJson(text));
  if (!conf.success) {
    scene.reads.report({ code: 'ISM008', where: source, message: 'The text is not flannel configuration in JSON' });
    return undefined;
  }
  const texts = [...splitCidrs(conf.data.Network), ...splitCidrs(conf.data.IPv6Network)];
  const value = validCidrs(texts, source, scene.reads.report);
  return value.length === 0 ? undefined : { value, source };
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
