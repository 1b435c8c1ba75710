// Whether the pods of two clusters can reach each other without gateways.
import { makeFinding } from '../findings/index.ts';
import type { Finding } from '../findings/types.ts';
import type { Mesh } from '../spec/schema.ts';
import type { RoutableNode, UnplacedCluster } from './cluster.ts';
import { cniName } from './cni.ts';
import { checkHops } from './hops.ts';
import { checkPair } from './pairs.ts';

export interface FlatCheck {
  /** Findings of the two as clusters of one network. */
  readonly findings: readonly Finding[];
  /** Why they cannot be one flat network, without a full stop; undefined when nothing speaks against it. */
  readonly conflict: string | undefined;
}

/** Checks two clusters of a mesh, named in any order. */
export type Flatness = (one: string, other: string) => FlatCheck;

/**
 * The check for all pairs of a mesh; each pair is looked at once.
 * @param clusters in the order of mesh.yaml, which is also that of the names in messages
 * @param nodes routable nodes by cluster
 */
export function createFlatness(
  mesh: Mesh,
  clusters: readonly UnplacedCluster[],
  nodes: ReadonlyMap<string, readonly RoutableNode[]>,
): Flatness {
  const known = new Map<string, FlatCheck>();
  return (one, other) => {
    const [a, b] = clusters.filter(({ name }) => name === one || name === other);
    if (a === undefined || b === undefined) return { findings: [], conflict: undefined };
    const key = `${a.name} ${b.name}`;
    const check = known.get(key) ?? checkTwo(mesh, [a, b], nodes);
    known.set(key, check);
    return check;
  };
}

type Two = readonly [UnplacedCluster, UnplacedCluster];

function checkTwo(mesh: Mesh, [a, b]: Two, nodes: ReadonlyMap<string, readonly RoutableNode[]>): FlatCheck {
  if (mesh.istio.dataplane === 'ambient') return { findings: [notForAmbient(a, b)], conflict: 'ambient goes through gateways alone' };
  const { findings, conflict } = checkPair(a, b);
  if (conflict !== undefined || mesh.routes.provider !== 'routes') return { findings, conflict };
  const way = checkRouted(mesh, [a, b], nodes);
  return { findings: [...findings, ...way.findings], conflict: way.conflict };
}

function notForAmbient(a: UnplacedCluster, b: UnplacedCluster): Finding {
  const message = `${a.name} and ${b.name} are in one network, and Istio documents ambient for different networks alone.`;
  const hint = 'Leave `network` out, or give each cluster one of its own; its istiod must know the same name, as ISM073 says.';
  return makeFinding({ code: 'ISM080', message, hint });
}

/** What routes need beyond addresses that do not overlap: pod networks that take plain packets, and next hops on a common link. */
function checkRouted({ routes }: Mesh, two: Two, nodes: ReadonlyMap<string, readonly RoutableNode[]>): FlatCheck {
  const [a, b] = two;
  const tunnelled = two.filter(({ facts }) => facts.cni?.value.flat === false);
  const [first] = tunnelled;
  if (first !== undefined) return { findings: tunnelled.map(notFlat), conflict: `the pod network of ${first.name} is not flat` };
  if (routes.onlink) return { findings: [], conflict: undefined };
  return checkHops({ cluster: a.name, nodes: nodes.get(a.name) ?? [] }, { cluster: b.name, nodes: nodes.get(b.name) ?? [] });
}

function notFlat({ name, facts }: UnplacedCluster): Finding {
  const cni = facts.cni?.value;
  const message = `${cniName(cni?.name ?? 'unknown')} carries pod packets in its own tunnels only (${cni?.encapsulation}).`;
  return makeFinding({ code: 'ISM052', cluster: name, message });
}
