// What mesh.yaml must keep beyond its shape: rules between clusters, and between the fields of one cluster.
import { type Cidr, compareCidrs, contains, formatAddress, parseAddress, parseCidr } from '../base/cidr.ts';
import { closest } from '../base/closest.ts';
import { gatewayName, ilbNames, shortText } from '../base/names.ts';
import type { YamlSource } from '../base/yaml.ts';
import type { Mistake, Path } from './issues.ts';
import { type Cluster, type Era, eraOf, type Istio } from './schema.ts';

/** What of mesh.yaml is well-formed on its own. */
export interface MeshParts {
  readonly istio?: Istio;
  /** Entries of `clusters`, undefined for those whose shape is wrong. */
  readonly clusters: readonly (Cluster | undefined)[];
}

/** A cluster and where its entry stands. */
interface Entry {
  readonly cluster: Cluster;
  readonly path: Path;
}

type Locate = YamlSource['locate'];

/** The mistakes that no schema can see. Rules that need all clusters wait until all are well-formed. */
export function findMistakes({ istio, clusters }: MeshParts, { locate }: Pick<YamlSource, 'locate'>): Mistake[] {
  const entries = clusters.flatMap((cluster, index): Entry[] => (cluster === undefined ? [] : [{ cluster, path: ['clusters', index] }]));
  const complete = clusters.length > 0 && entries.length === clusters.length;
  return [
    ...(istio === undefined ? [] : istioMistakes(istio, entries)),
    ...repeated(entries, { field: 'name', identify: (cluster) => cluster.name, locate }),
    ...repeated(entries, { field: 'context', identify: contextOf, locate }),
    ...repeated(entries, { field: 'facts', identify: (cluster) => cluster.facts, locate }),
    ...(complete ? primaryMistakes(entries) : []),
    ...entries.flatMap((entry) => clusterMistakes(entry, locate)),
  ];
}

function istioMistakes(istio: Istio, entries: readonly Entry[]): Mistake[] {
  const era = eraOf({ istio });
  const revision =
    era === 'modern' || istio.revision === ''
      ? []
      : [{ path: ['istio', 'revision'], message: `Istio ${istio.version} has no revisions; leave it out` }];
  const ca =
    era === 'modern' || istio.ca === undefined
      ? []
      : [{ path: ['istio', 'ca'], message: `Citadel of Istio ${istio.version} signs with a certificate of its own; leave it out` }];
  const dataplane =
    era === 'modern' || istio.dataplane === 'sidecar'
      ? []
      : [{ path: ['istio', 'dataplane'], message: `Istio ${istio.version} has no ambient; leave it out` }];
  return [...revision, ...ca, ...dataplane, ...entries.flatMap((entry) => balancerMistakes(entry, era))];
}

/** Every cluster may get a gateway, and with it a load balancer; Istio 0.8 has none in front of a remote. */
function balancerMistakes(entry: Entry, era: Era): Mistake[] {
  const isPrimary = entry.cluster.role === 'primary';
  if (era === 'classic') return isPrimary ? ilbMistakes(entry, ilbNames.classic) : remoteBalancerMistakes(entry);
  return ilbMistakes(entry, [...(isPrimary ? ilbNames.modern : []), gatewayName]);
}

function ilbMistakes({ cluster, path }: Entry, names: readonly string[]): Mistake[] {
  return Object.keys(cluster.loadBalancer.addresses)
    .filter((service) => !names.includes(service))
    .map((service) => ({
      path: [...path, 'loadBalancer', 'addresses', service],
      key: true,
      message: `there is no such load balancer here; there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`,
    }));
}

/** What must be one cluster's own. */
interface Identity {
  readonly field: string;
  readonly identify: (cluster: Cluster) => string | undefined;
  readonly locate: Locate;
}

function repeated(entries: readonly Entry[], { field, identify, locate }: Identity): Mistake[] {
  const first = new Map<string, Path>();
  return entries.flatMap(({ cluster, path }) => {
    const identity = identify(cluster);
    if (identity === undefined) return [];
    const before = first.get(identity);
    if (before === undefined) first.set(identity, path);
    return before === undefined ? [] : [{ path: [...path, field], message: `is also the ${field} of the cluster at ${locate(before)}` }];
  });
}

function contextOf({ context, kubeconfig }: Cluster): string | undefined {
  return context === undefined ? undefined : JSON.stringify([kubeconfig, context]);
}

function primaryMistakes(entries: readonly Entry[]): Mistake[] {
  const names = entries.filter(({ cluster }) => cluster.role === 'primary').map(({ cluster }) => cluster.name);
  if (names.length === 0) return [{ path: ['clusters'], message: 'names no primary; one cluster must have role: primary' }];
  return entries.filter(({ cluster }) => cluster.role === 'remote').flatMap((entry) => controlPlaneMistakes(entry, names, entries));
}

function controlPlaneMistakes({ cluster, path }: Entry, primaries: readonly string[], entries: readonly Entry[]): Mistake[] {
  const { controlPlane } = cluster;
  // Which of several primaries is the nearest is known once the networks are.
  if (controlPlane === undefined || primaries.includes(controlPlane)) return [];
  const at = [...path, 'controlPlane'];
  if (controlPlane === cluster.name) return [{ path: at, message: 'names the cluster itself; a remote is served by a primary' }];
  if (entries.some((entry) => entry.cluster.name === controlPlane)) return [{ path: at, message: `${controlPlane} is not a primary` }];
  const near = closest(controlPlane, primaries);
  const hint = near === undefined ? `primaries are ${primaries.join(', ')}` : `did you mean ${near}?`;
  return [{ path: at, message: `there is no cluster "${shortText(controlPlane)}"; ${hint}` }];
}

function clusterMistakes(entry: Entry, locate: Locate): Mistake[] {
  return [
    ...sourceMistakes(entry),
    ...(entry.cluster.role === 'primary' ? remoteFieldMistakes(entry) : installMistakes(entry)),
    ...familyMistakes(entry),
    ...nestedMistakes(entry, 'podCIDRs'),
    ...nestedMistakes(entry, 'serviceCIDRs'),
    ...nodeMistakes(entry, locate),
  ];
}

function sourceMistakes({ cluster, path }: Entry): Mistake[] {
  if (cluster.context !== undefined || cluster.facts !== undefined || cluster.nodes !== undefined) return [];
  if (cluster.kubeconfig !== undefined) return [{ path, message: 'names a kubeconfig but no context' }];
  if (cluster.icpConfig !== undefined) return [{ path, message: 'icpConfig does not name the nodes; add nodes' }];
  return [{ path, message: 'names no source; add context, facts, or nodes (with icpConfig where there is one)' }];
}

function remoteFieldMistakes({ cluster, path }: Entry): Mistake[] {
  const fields = ['controlPlane', 'remotePilotAddress'] as const;
  return fields
    .filter((field) => cluster[field] !== undefined)
    .map((field) => ({ path: [...path, field], key: true, message: 'is only for remotes; this cluster is a primary' }));
}

function installMistakes({ cluster, path }: Entry): Mistake[] {
  if (cluster.install !== true) return [];
  return [{ path: [...path, 'install'], key: true, message: 'is only for primaries; a remote uses the istiod of its primary' }];
}

function remoteBalancerMistakes({ cluster, path }: Entry): Mistake[] {
  const { platform, class: className, annotations, addresses, sourceRanges } = cluster.loadBalancer;
  const maps = [annotations, addresses].some((map) => Object.keys(map).length > 0);
  if (!maps && platform === undefined && className === undefined && sourceRanges === undefined) return [];
  return [{ path: [...path, 'loadBalancer'], key: true, message: 'is only for primaries; this cluster is a remote and gets no ILB' }];
}

function familyMistakes({ cluster, path }: Entry): Mistake[] {
  const { remotePilotAddress } = cluster;
  if (remotePilotAddress === undefined || typeof remotePilotAddress === 'string') return [];
  const at = [...path, 'remotePilotAddress'];
  const addresses = remotePilotAddress.map(parseAddress).filter((address): address is Cidr => typeof address !== 'string');
  if (new Set(addresses.map(({ family }) => family)).size > 1)
    return [{ path: at, message: 'mixes IPv4 and IPv6; all must be of one family' }];
  return repeatedIndexes(addresses.map(formatAddress)).map((index) => ({ path: [...at, index], message: 'is there twice' }));
}

function repeatedIndexes(values: readonly string[]): number[] {
  const seen = new Set<string>();
  return values.flatMap((value, index) => {
    if (seen.has(value)) return [index];
    seen.add(value);
    return [];
  });
}

/** In order of address a block stands behind the one that holds it, so one pass is enough. */
function nestedMistakes({ cluster, path }: Entry, field: 'podCIDRs' | 'serviceCIDRs'): Mistake[] {
  const mistakes: Mistake[] = [];
  let outer: { readonly text: string; readonly cidr: Cidr } | undefined;
  for (const block of sortedBlocks(cluster[field] ?? [])) {
    const { text, index, cidr } = block;
    if (outer === undefined || !contains(outer.cidr, cidr)) {
      outer = block;
      continue;
    }
    const relation = outer.cidr.prefix === cidr.prefix ? 'is there twice' : `lies inside ${outer.text}`;
    mistakes.push({ path: [...path, field, index], message: `${text} ${relation}` });
  }
  return mistakes;
}

function sortedBlocks(texts: readonly string[]): readonly { readonly text: string; readonly index: number; readonly cidr: Cidr }[] {
  return texts
    .flatMap((text, index) => {
      const cidr = parseCidr(text);
      return typeof cidr === 'string' ? [] : [{ text, index, cidr }];
    })
    .sort((a, b) => compareCidrs(a.cidr, b.cidr));
}

function nodeMistakes({ cluster, path }: Entry, locate: Locate): Mistake[] {
  const owners = new Map<string, Path>();
  const claim = (kind: 'name' | 'address', value: string, at: Path): Mistake[] => {
    const before = owners.get(`${kind} ${value}`);
    if (before === undefined) owners.set(`${kind} ${value}`, at);
    return before === undefined ? [] : [{ path: at, message: `is also the ${kind} of the node at ${locate(before.slice(0, 4))}` }];
  };
  return (cluster.nodes ?? []).flatMap((node, index) => {
    const at = [...path, 'nodes', index];
    const sameName = claim('name', node.name, [...at, 'name']);
    if (sameName.length > 0) return sameName;
    const parsed = parseAddress(node.address ?? node.name);
    if (typeof parsed === 'string') return [{ path: at, message: `node ${node.name} needs an address, because its name is none` }];
    return claim('address', formatAddress(parsed), [...at, node.address === undefined ? 'name' : 'address']);
  });
}
