// Calico with its own IPAM: blocks from BlockAffinity and IPAMBlock objects, pools, and the route protocol of Felix.
import { type Cidr, contains, parseCidr } from '../../base/cidr.ts';
import { validCidrs } from '../cidrs.ts';
import { compareText, sortedUnique } from '../lists.ts';
import type { Reads } from '../reads.ts';
import type { Observed, Pool } from '../schema.ts';
import { calicoBlocks } from './calico-blocks.ts';
import type { CalicoObjects, IPPool } from './calico-objects.ts';
import { reportDisagreement } from './node-blocks.ts';
import type { CniFacts, CniProbe, Scene } from './types.ts';

/** Calico's default of FelixConfiguration.spec.deviceRouteProtocol. */
const defaultFelixProtocol = 80;

/**
 * Calico that hands out addresses itself. Calico for policy only (with flannel, or on a cloud's network) has no block
 * affinities and is left to the other probes.
 */
export const probeCalico: CniProbe = async (scene) => {
  const { calico: objects } = scene;
  if (objects === undefined) return undefined;
  const { affinities, pools = [] } = objects;
  if (affinities === undefined) return scene.reads.failed(`${objects.path}/blockaffinities`) ? unreadable : undefined;
  const usable = pools.filter((pool) => pool.spec.disabled !== true && isForPods(pool));
  if (affinities.length === 0 && (usable.length === 0 || hasFlannel(scene))) return undefined;
  return describe(scene, objects);
};

/** Blocks that may not be read must not be replaced by a guess from another source. */
const unreadable: CniFacts = {
  cni: { value: { name: 'calico', encapsulation: 'unknown', flat: true }, source: 'API group of Calico; its blocks could not be read' },
  blocks: new Map(),
};

function hasFlannel(scene: Scene): boolean {
  return scene.nodes.some((node) => node.annotations['flannel.alpha.coreos.com/backend-type'] !== undefined);
}

function describe(scene: Scene, { path, affinities = [], blocks: ipamBlocks = [], pools = [], felix }: CalicoObjects): CniFacts {
  const { reads } = scene;
  const nodes = new Set(scene.nodes.map((node) => node.name));
  const blocks = calicoBlocks({ affinities, blocks: ipamBlocks, nodes, report: reads.report });
  reportDisagreement(scene.nodes, blocks, reads.report);
  const podPools = podPoolsOf(pools, blocks);
  const encrypted = felix?.spec?.wireguardEnabled === true || felix?.spec?.wireguardEnabledV6 === true;
  const podCIDRs = podCIDRsOf(podPools, reads.report);
  return {
    cni: {
      value: { name: 'calico', encapsulation: encapsulationOf(podPools, encrypted), flat: true },
      source: `${path.slice('/apis/'.length)} BlockAffinity`,
    },
    blocks,
    pools: pools.map(toPool).sort((a, b) => compareText(a.name, b.name)),
    ...(podCIDRs === undefined ? {} : { podCIDRs }),
    felixProtocol: felixProtocolOf(felix?.spec?.deviceRouteProtocol),
  };
}

/** Pools for load balancers or tunnels alone hold no pods. */
function isForPods(pool: IPPool): boolean {
  const uses = pool.spec.allowedUses ?? [];
  return uses.length === 0 || uses.includes('Workload');
}

function podPoolsOf(pools: readonly IPPool[], blocks: CniFacts['blocks']): IPPool[] {
  const isDisabled = (pool: IPPool): boolean => pool.spec.disabled === true;
  const held = pools.some(isDisabled) ? [...blocks.values()].flatMap((list) => list.map(({ cidr }) => parseCidr(cidr))) : [];
  return pools.filter((pool) => isForPods(pool) && (!isDisabled(pool) || holdsBlock(pool, held)));
}

/**
 * A disabled pool with blocks is being emptied and still holds pods; one without blocks belongs to another cluster
 * and only keeps its addresses from being masqueraded, as isthmus and Submariner use it.
 */
function holdsBlock(pool: IPPool, held: readonly (Cidr | string)[]): boolean {
  const cidr = parseCidr(pool.spec.cidr);
  return typeof cidr !== 'string' && held.some((block) => typeof block !== 'string' && contains(cidr, block));
}

function podCIDRsOf(pools: readonly IPPool[], report: Reads['report']): Observed<readonly string[]> | undefined {
  const source = `IPPool ${sortedUnique(pools.map((pool) => pool.metadata.name)).join(', ')}`;
  const value = validCidrs(
    pools.map((pool) => pool.spec.cidr),
    source,
    report,
  );
  return value.length === 0 ? undefined : { value, source };
}

function toPool({ metadata, spec }: IPPool): Pool {
  return {
    name: metadata.name,
    cidr: spec.cidr,
    disabled: spec.disabled === true,
    natOutgoing: spec.natOutgoing === true,
    encapsulation: poolEncapsulation(spec),
  };
}

function poolEncapsulation({ ipipMode, vxlanMode }: IPPool['spec']): Pool['encapsulation'] {
  if (vxlanMode === 'Always') return 'vxlan';
  if (vxlanMode === 'CrossSubnet') return 'vxlan-cross-subnet';
  if (ipipMode === 'Always') return 'ipip';
  return ipipMode === 'CrossSubnet' ? 'ipip-cross-subnet' : 'none';
}

function encapsulationOf(pools: readonly IPPool[], encrypted: boolean): string {
  const kinds = sortedUnique(pools.map((pool) => poolEncapsulation(pool.spec))).filter((kind) => kind !== 'none');
  const all = [...kinds, ...(encrypted ? ['wireguard'] : [])];
  return all.length === 0 ? 'none' : all.join(', ');
}

function felixProtocolOf(configured: number | null | undefined): Observed<number> {
  if (typeof configured === 'number') return { value: configured, source: 'FelixConfiguration default deviceRouteProtocol' };
  return { value: defaultFelixProtocol, source: "Calico's default" };
}
