// Compares the routes that are wanted with routes that someone else made on the nodes.
import { type Cidr, formatCidr, parseAddress, parseCidr, truncate } from '../base/cidr.ts';
import type { ForeignRoute } from '../facts/schema.ts';
import { type FindingCode, makeFinding } from '../findings/index.ts';
import type { Finding } from '../findings/types.ts';
import type { ResolvedCluster } from './cluster.ts';
import { coverOf, disjoint } from './overlap.ts';
import { listText, sortBy } from './text.ts';
import type { Route } from './types.ts';

export interface ForeignCheck {
  readonly cluster: ResolvedCluster;
  /** What the nodes of the cluster shall have. */
  readonly routes: readonly Route[];
  /** Pod CIDRs of the clusters that the routes lead to. */
  readonly peerPods: readonly Cidr[];
  /** Protocol number of our own routes, which are not foreign. */
  readonly protocol: number;
}

type Verdict = 'ISM055' | 'ISM056' | 'ISM057';

const messages: Readonly<Record<Verdict, string>> = {
  ISM055: 'Left over from manual work or an older installation:',
  ISM056: 'Another route is in the way of a wanted one:',
  ISM057: 'There already, made by someone else:',
};

/** Routes of others that are in the way (ISM056), the same as ours (ISM057), or left over in pod CIDRs of other clusters (ISM055). */
export function checkForeignRoutes({ cluster, routes, peerPods, protocol }: ForeignCheck): Finding[] {
  const wanted = new Map(routes.map((route) => [route.dst, route]));
  const pods = disjoint(peerPods);
  const seen = new Map<Verdict, Map<string, string[]>>();
  for (const node of cluster.nodes) {
    for (const route of node.facts.foreignRoutes.filter((one) => one.protocol !== String(protocol))) {
      const dst = destination(route);
      const verdict = dst === undefined ? undefined : judge(dst, route, { wanted, pods });
      if (verdict === undefined) continue;
      const texts = seen.get(verdict) ?? new Map<string, string[]>();
      const text = describe(route);
      texts.set(text, [...(texts.get(text) ?? []), node.name]);
      seen.set(verdict, texts);
    }
  }
  return [...seen].map(([code, texts]) => foreignFinding(cluster.name, code, texts));
}

function destination(route: ForeignRoute): Cidr | undefined {
  if (route.dst === 'default') return undefined;
  const parsed = route.dst.includes('/') ? parseCidr(route.dst) : parseAddress(route.dst);
  return typeof parsed === 'string' ? undefined : parsed;
}

function judge(
  dst: Cidr,
  route: ForeignRoute,
  { wanted, pods }: { wanted: ReadonlyMap<string, Route>; pods: readonly Cidr[] },
): Verdict | undefined {
  const owner = longestMatch(wanted, dst);
  if (owner !== undefined) return route.via === owner.via ? 'ISM057' : 'ISM056';
  return coverOf(pods, dst) === undefined ? undefined : 'ISM055';
}

/** The wanted route that packets to `dst` follow: the longest one that holds all of it. */
function longestMatch(wanted: ReadonlyMap<string, Route>, dst: Cidr): Route | undefined {
  for (let prefix = dst.prefix; prefix > 0; prefix--) {
    const route = wanted.get(formatCidr(truncate(dst, prefix)));
    if (route !== undefined) return route;
  }
  return undefined;
}

/** The route as `ip route` shows it. */
function describe({ dst, via, dev, protocol }: ForeignRoute): string {
  return [
    dst,
    via === undefined ? '' : `via ${via}`,
    dev === undefined ? '' : `dev ${dev}`,
    protocol === undefined ? '' : `proto ${protocol}`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function foreignFinding(cluster: string, code: FindingCode & Verdict, texts: ReadonlyMap<string, readonly string[]>): Finding {
  const routes = sortBy([...texts], ([text]) => text).map(([text, nodes]) => `${text} on ${listText(nodes)}`);
  return makeFinding({ code, cluster, message: `${messages[code]} ${listText(routes)}.` });
}
