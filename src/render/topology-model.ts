// What the picture of a mesh tells, as short texts: clusters with nodes and control plane, and what joins each pair of them.
import type { ClusterPlan, Ilb, MeshPlan, PlannedNode, Route } from '../plan/types.ts';
import { shorten } from './svg.ts';

/** A line with something on its left and something on its right. */
export interface Row {
  readonly name: string;
  /** Below the name, small. */
  readonly detail: string;
  /** Right side, monospace; shown one below the other. */
  readonly values: readonly string[];
}

export interface ClusterView {
  readonly name: string;
  readonly role: 'primary' | 'remote';
  /** Position in the picture, which also decides the colour. */
  readonly index: number;
  readonly network: string;
  readonly facts: string;
  readonly pods: string;
  readonly nodes: readonly Row[];
  /** `and 12 more nodes`, empty when all are shown. */
  readonly moreNodes: string;
  readonly controlTitle: string;
  readonly control: readonly Row[];
}

/** Routes in one direction: on every node of `from`, towards `to`. */
export interface RouteView {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly lines: readonly string[];
}

export interface LinkView {
  readonly left: number;
  readonly right: number;
  /** Sentence for links without routes. */
  readonly note: string;
  readonly routes: readonly RouteView[];
}

/** A remote that uses the control plane of a primary. */
export interface ControlView {
  readonly primary: number;
  readonly remote: number;
  readonly waits: boolean;
}

export interface TopologyView {
  readonly mesh: string;
  readonly subtitle: string;
  readonly network: string | undefined;
  readonly clusters: readonly ClusterView[];
  readonly links: readonly LinkView[];
  readonly controls: readonly ControlView[];
  /** What remotes get from a control plane. */
  readonly controlText: string;
}

const maxNodes = 6;
const maxBlocks = 3;
const maxLines = 4;
const maxName = 28;
/** The longest text of an IPv6 address. */
const maxAddress = 39;

const notes = {
  routes: '',
  network: 'the network carries pod addresses',
  gateways: 'different networks: through their gateways',
  nothing: 'not joined',
} as const;

const controlTexts = {
  classic: 'configuration, policy, telemetry',
  modern: 'configuration, certificates, injection',
} as const;

/** Services of the remote by the names their endpoints have in the values. */
const classicServices: Readonly<Record<string, string>> = {
  pilot: 'istio-pilot',
  policy: 'istio-policy',
  statsd: 'istio-statsd-prom-bridge',
  zipkin: 'zipkin',
};

/** Shortens a plan to what a picture can show; primaries come first, then the remotes, each in order of name. */
export function topologyView(plan: MeshPlan): TopologyView {
  const clusters = plan.clusters.toSorted(byRoleAndName);
  const networks = new Set(clusters.map(({ network }) => network));
  const position = new Map(clusters.map(({ name }, index) => [name, index]));
  return {
    mesh: plan.mesh,
    subtitle: `Istio ${plan.istio.version} · ${count(clusters.length, 'cluster')} · mesh ID ${plan.meshID}`,
    network: networks.size === 1 ? clusters[0]?.network : undefined,
    clusters: clusters.map((cluster, index) => clusterView(cluster, index, plan)),
    links: clusters.flatMap((left, index) =>
      clusters.slice(index + 1).map((right, offset) => linkView([left, right], [index, index + 1 + offset], plan)),
    ),
    controls: controlViews(clusters, position),
    controlText: controlTexts[plan.era],
  };
}

function byRoleAndName(a: ClusterPlan, b: ClusterPlan): number {
  if (a.role !== b.role) return a.role === 'primary' ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

function clusterView(cluster: ClusterPlan, index: number, plan: MeshPlan): ClusterView {
  const { kubernetes, cni, podCIDRs } = cluster.summary;
  const hidden = cluster.nodes.length - maxNodes;
  return {
    name: shorten(cluster.name, maxName),
    role: cluster.role,
    index,
    network: cluster.network,
    facts: [...(kubernetes === undefined ? [] : [`Kubernetes ${kubernetes}`]), ...(cni === undefined ? [] : [cni])].join(' · '),
    pods: listed(
      podCIDRs.map(({ cidr }) => cidr),
      2,
    ),
    nodes: cluster.nodes.slice(0, maxNodes).map(nodeRow),
    moreNodes: hidden > 0 ? `and ${count(hidden, 'more node')}` : '',
    ...controlSection(cluster, plan),
  };
}

function nodeRow({ name, address, ready, blocks }: PlannedNode): Row {
  const notes = [...(address === name ? [] : [address]), ...(ready ? [] : ['not ready'])];
  return { name: shorten(name, maxName), detail: notes.join(' · '), values: limited(blocks, maxBlocks) };
}

function controlSection(cluster: ClusterPlan, plan: MeshPlan): Pick<ClusterView, 'controlTitle' | 'control'> {
  const balancers = cluster.releases.flatMap((release) => (release.chart === 'istio-ilb' ? release.services : []));
  if (balancers.length > 0) return { controlTitle: 'Control plane behind internal load balancers', control: balancers.map(ilbRow) };
  const endpoints = cluster.releases.flatMap(endpointRows);
  const primary = plan.clusters.find(({ remoteSecrets }) => remoteSecrets.some(({ remote }) => remote === cluster.name));
  if (endpoints.length === 0) return { controlTitle: '', control: [] };
  return { controlTitle: `Control plane of ${primary?.name ?? 'the primary'}, reached at`, control: endpoints };
}

function ilbRow({ name, ports, address }: Ilb): Row {
  const where =
    address.state === 'pending' ? ['address waited for'] : [...(address.hostname === undefined ? address.addresses : [address.hostname])];
  const shown = ports.map(({ port, protocol }) => (protocol === 'TCP' ? String(port) : `${port}/${protocol}`));
  return {
    name: shorten(name, maxName),
    detail: listed(shown, 7, ' '),
    values: addressTexts(where),
  };
}

function endpointRows(release: ClusterPlan['releases'][number]): readonly Row[] {
  if (release.chart !== 'istio-remote' && release.chart !== 'istio-remote-classic') return [];
  if (release.waitsFor.length > 0) return [{ name: release.name, detail: '', values: ['waits'] }];
  const endpoints =
    release.chart === 'istio-remote'
      ? {
          istiod: release.values.remotePilotAddresses,
          webhook: release.values.webhook.injectionURL === '' ? [] : [release.values.webhook.injectionURL],
        }
      : release.values.endpoints;
  return Object.entries(endpoints).flatMap(([name, addresses]) => endpointRow(classicServices[name] ?? name, addresses ?? []));
}

function endpointRow(name: string, addresses: readonly string[]): readonly Row[] {
  return addresses.length === 0 ? [] : [{ name, detail: '', values: addressTexts(addresses) }];
}

function addressTexts(addresses: readonly string[]): readonly string[] {
  const texts = addresses.map((text) => shorten(text, maxAddress));
  return limited(texts, 2);
}

function linkView([left, right]: readonly [ClusterPlan, ClusterPlan], [l, r]: readonly [number, number], plan: MeshPlan): LinkView {
  const link = plan.links.find(({ clusters }) => clusters.includes(left.name) && clusters.includes(right.name));
  const routes = [routeView(left, l, right, r), routeView(right, r, left, l)].filter((view) => view.count > 0);
  return { left: l, right: r, note: notes[link?.by ?? 'nothing'], routes };
}

function routeView(from: ClusterPlan, fromIndex: number, to: ClusterPlan, toIndex: number): RouteView {
  const routes = from.routes.filter(({ cluster }) => cluster === to.name);
  return { from: fromIndex, to: toIndex, count: routes.length, lines: limited(routes.map(routeLine), maxLines) };
}

function routeLine({ dst, via }: Route): string {
  return `${dst} via ${via}`;
}

function controlViews(clusters: readonly ClusterPlan[], position: ReadonlyMap<string, number>): readonly ControlView[] {
  return clusters.flatMap(({ remoteSecrets }, primary) =>
    remoteSecrets.flatMap(({ remote: name }) => {
      const remote = position.get(name);
      if (remote === undefined) return [];
      return [{ primary, remote, waits: clusters[remote]?.releases.some(({ waitsFor }) => waitsFor.length > 0) ?? false }];
    }),
  );
}

function limited(texts: readonly string[], most: number): readonly string[] {
  return texts.length <= most ? texts : [...texts.slice(0, most - 1), `and ${texts.length - most + 1} more`];
}

function listed(texts: readonly string[], most: number, separator = ', '): string {
  return texts.length <= most ? texts.join(separator) : `${texts.slice(0, most).join(separator)}${separator}+${texts.length - most}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
