// Cilium: blocks from CiliumNode objects, routing mode and masquerading from its ConfigMap.
import * as z from 'zod';
import { groupPath } from '../api-groups.ts';
import { splitCidrs, validCidrs } from '../cidrs.ts';
import { sortedUnique } from '../lists.ts';
import { ConfigMap, configMapPath, Metadata } from '../objects.ts';
import type { Reads } from '../reads.ts';
import type { Block, Observed } from '../schema.ts';
import { nodeBlocks, reportDisagreement } from './node-blocks.ts';
import type { CniFacts, CniProbe, Scene } from './types.ts';

const CiliumNode = z.object({
  metadata: Metadata,
  spec: z
    .object({
      ipam: z
        .object({
          podCIDRs: z.array(z.string()).nullish(),
          pools: z.object({ allocated: z.array(z.object({ cidrs: z.array(z.string()).nullish() })).nullish() }).nullish(),
        })
        .nullish(),
    })
    .nullish(),
});
type CiliumNode = z.infer<typeof CiliumNode>;

const PoolFamily = z.object({ cidrs: z.array(z.string()).nullish() }).nullish();
const CiliumPodIPPool = z.object({ metadata: Metadata, spec: z.object({ ipv4: PoolFamily, ipv6: PoolFamily }) });

type Config = ReadonlyMap<string, string>;

/** Modes of `ipam` in which pod addresses come from the cloud's own network; Cilium then has no blocks. */
const cloudIpam: Readonly<Record<string, string>> = { eni: 'aws', azure: 'azure', 'delegated-plugin': 'azure', alibabacloud: 'alibaba' };

/** Cilium, in cluster-pool, multi-pool, Kubernetes and the clouds' IPAM modes. */
export const probeCilium: CniProbe = async (scene) => {
  const path = groupPath(scene.groups, 'cilium.io', ['v2']);
  if (path === undefined) return undefined;
  const [ciliumNodes, configMap] = await Promise.all([
    scene.reads.list(`${path}/ciliumnodes`, CiliumNode),
    scene.reads.get(configMapPath('kube-system', 'cilium-config'), ConfigMap),
  ]);
  if (ciliumNodes === undefined) return scene.reads.failed(`${path}/ciliumnodes`) ? unreadable : undefined;
  if (ciliumNodes.length === 0) return undefined;
  return describe(scene, ciliumNodes, configMap?.data ?? new Map());
};

/** Blocks that may not be read must not be replaced by a guess from another source. */
const unreadable: CniFacts = {
  cni: { value: { name: 'cilium', encapsulation: 'unknown', flat: true }, source: 'API group cilium.io; CiliumNodes could not be read' },
  blocks: new Map(),
};

async function describe(scene: Scene, ciliumNodes: readonly CiliumNode[], config: Config): Promise<CniFacts> {
  const ipam = config.get('ipam') ?? 'cluster-pool';
  const cloud = cloudIpam[ipam];
  const source = config.size === 0 ? 'CiliumNode' : 'ConfigMap kube-system/cilium-config';
  if (cloud !== undefined) return { cni: { value: { name: cloud, encapsulation: 'none', flat: true }, source }, blocks: new Map() };
  const tunnel = tunnelOf(config);
  const value = { name: 'cilium', encapsulation: encapsulationOf(config, tunnel), flat: tunnel === undefined };
  const podCIDRs = await configuredPodCIDRs(scene, ipam, config);
  const natExemptCIDRs = exemptOf(config, scene.reads.report);
  return {
    cni: { value, source },
    blocks: ipam === 'kubernetes' ? nodeBlocks(scene.nodes, scene.reads.report) : ciliumBlocks(scene, ciliumNodes),
    ...(podCIDRs === undefined ? {} : { podCIDRs }),
    ...(natExemptCIDRs === undefined ? {} : { natExemptCIDRs }),
  };
}

function ciliumBlocks(scene: Scene, ciliumNodes: readonly CiliumNode[]): Map<string, readonly Block[]> {
  const { report } = scene.reads;
  const nodes = new Set(scene.nodes.map((node) => node.name));
  const blocks = new Map<string, readonly Block[]>();
  for (const { metadata, spec } of ciliumNodes) {
    if (!nodes.has(metadata.name)) continue;
    const pools = spec?.ipam?.pools?.allocated ?? [];
    const texts = [...(spec?.ipam?.podCIDRs ?? []), ...pools.flatMap((pool) => pool.cidrs ?? [])];
    const source = `CiliumNode ${metadata.name}`;
    const cidrs = validCidrs(texts, source, report);
    blocks.set(
      metadata.name,
      cidrs.map((cidr) => ({ cidr, source })),
    );
  }
  reportDisagreement(scene.nodes, blocks, report);
  return blocks;
}

/** Cilium's default is a VXLAN tunnel; before 1.14 the key was `tunnel: vxlan|geneve|disabled`. Undefined means native routing. */
function tunnelOf(config: Config): string | undefined {
  const mode = config.get('routing-mode') ?? (config.get('tunnel') === 'disabled' ? 'native' : 'tunnel');
  return mode === 'native' ? undefined : (config.get('tunnel-protocol') ?? config.get('tunnel') ?? 'vxlan');
}

function encapsulationOf(config: Config, tunnel: string | undefined): string {
  const parts = [
    ...(tunnel === undefined ? [] : [tunnel]),
    ...(config.get('enable-wireguard') === 'true' ? ['wireguard'] : []),
    ...(config.get('enable-ipsec') === 'true' ? ['ipsec'] : []),
  ];
  return parts.length === 0 ? 'none' : parts.join(', ');
}

async function configuredPodCIDRs(scene: Scene, ipam: string, config: Config): Promise<Observed<readonly string[]> | undefined> {
  const { report } = scene.reads;
  if (ipam === 'multi-pool') return podPools(scene);
  if (!ipam.startsWith('cluster-pool')) return undefined;
  const texts = [...splitCidrs(config.get('cluster-pool-ipv4-cidr')), ...splitCidrs(config.get('cluster-pool-ipv6-cidr'))];
  const source = 'ConfigMap kube-system/cilium-config cluster-pool-ipv4-cidr';
  const value = validCidrs(texts, source, report);
  return value.length === 0 ? undefined : { value, source };
}

async function podPools(scene: Scene): Promise<Observed<readonly string[]> | undefined> {
  const path = groupPath(scene.groups, 'cilium.io', ['v2alpha1']);
  const pools = path === undefined ? undefined : await scene.reads.list(`${path}/ciliumpodippools`, CiliumPodIPPool);
  const texts = (pools ?? []).flatMap(({ spec }) => [...(spec.ipv4?.cidrs ?? []), ...(spec.ipv6?.cidrs ?? [])]);
  const source = `CiliumPodIPPool ${sortedUnique((pools ?? []).map(({ metadata }) => metadata.name)).join(', ')}`;
  const value = validCidrs(texts, source, scene.reads.report);
  return value.length === 0 ? undefined : { value, source };
}

/** Where Cilium does not masquerade: everywhere when that is off, else the native routing CIDR. */
function exemptOf(config: Config, report: Reads['report']): Observed<readonly string[]> | undefined {
  const off = config.get('enable-ipv4-masquerade') === 'false' || config.get('masquerade') === 'false';
  if (off) return { value: ['0.0.0.0/0'], source: 'ConfigMap kube-system/cilium-config enable-ipv4-masquerade' };
  const ipv4 = config.get('ipv4-native-routing-cidr') ?? config.get('native-routing-cidr');
  const source = 'ConfigMap kube-system/cilium-config ipv4-native-routing-cidr';
  const value = validCidrs([...splitCidrs(ipv4), ...splitCidrs(config.get('ipv6-native-routing-cidr'))], source, report);
  return value.length === 0 ? undefined : { value, source };
}
