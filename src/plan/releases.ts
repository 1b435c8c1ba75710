// The helm releases of each cluster, with the values of their charts.
import { aggregate, type Cidr, formatCidr } from '../base/cidr.ts';
import { istioNames, primaryReader, releaseNames } from '../base/names.ts';
import { makeFinding } from '../findings/index.ts';
import type { Finding } from '../findings/types.ts';
import type { Mesh } from '../spec/schema.ts';
import { nodeAddresses, nodeSubnets, type ResolvedCluster, type RoutableNode } from './cluster.ts';
import type { ClassicEndpoints, Endpoint } from './control-plane/endpoints.ts';
import type { GatewayPlan, RemotePlan } from './control-plane/plan.ts';
import { istioImage, parseImage } from './image.ts';
import { disjoint } from './overlap.ts';
import type { Ilb, PlannedRelease, Route, SourceNat } from './types.ts';
import { AmbientGatewayValues } from './values/ambient-gateway.ts';
import { EastwestGatewayValues } from './values/eastwest-gateway.ts';
import { IstioReaderValues } from './values/istio-reader.ts';
import { IstioRemoteValues } from './values/istio-remote.ts';
import { IstioRemoteClassicValues } from './values/istio-remote-classic.ts';
import { maxJobNodes, RouteInstallerValues } from './values/route-installer.ts';

/** A release, or the finding that says why there is none. */
export interface ReleaseResult {
  readonly release?: PlannedRelease;
  readonly findings: readonly Finding[];
}

/** Chart of the ILB Services of a primary. */
export function ilbRelease(mesh: Mesh, services: readonly Ilb[]): ReleaseResult {
  return { release: { name: releaseNames.ilb, namespace: mesh.istio.namespace, chart: 'istio-ilb', services, waitsFor: [] }, findings: [] };
}

/** Chart of the east-west gateway of one cluster; it waits for what its control plane waits for. */
export function gatewayRelease(
  mesh: Mesh,
  cluster: ResolvedCluster,
  gateway: GatewayPlan & Pick<PlannedRelease, 'waitsFor'>,
): ReleaseResult {
  const { service, exposesIstiod, waitsFor } = gateway;
  const { gateway: name } = releaseNames;
  const values = EastwestGatewayValues.safeParse({
    network: cluster.network,
    revision: mesh.istio.revision,
    expose: { services: cluster.spec.role === 'primary', istiod: exposesIstiod },
    service: balancedService(service),
  });
  if (!values.success) return { findings: [misfit(cluster.name, name, values.error)] };
  return {
    release: { name, namespace: mesh.istio.namespace, chart: 'eastwest-gateway', service, values: values.data, waitsFor },
    findings: [],
  };
}

/** Chart of the ambient gateway of one cluster, of whose object istiod makes the rest. */
export function ambientGatewayRelease(mesh: Mesh, cluster: ResolvedCluster, { service }: GatewayPlan): ReleaseResult {
  const { ambientGateway: name } = releaseNames;
  const values = AmbientGatewayValues.safeParse({
    network: cluster.network,
    revision: mesh.istio.revision,
    service: balancedService(service),
  });
  if (!values.success) return { findings: [misfit(cluster.name, name, values.error)] };
  return {
    release: { name, namespace: mesh.istio.namespace, chart: 'ambient-gateway', service, values: values.data, waitsFor: [] },
    findings: [],
  };
}

function balancedService({ annotations, loadBalancerClass = '', loadBalancerIP = '', sourceRanges }: GatewayPlan['service']) {
  return { annotations, loadBalancerClass, loadBalancerIP, sourceRanges };
}

/** Chart of the account by which the istiod of other clusters reads a primary. */
export function readerRelease(mesh: Mesh): ReleaseResult {
  const values = IstioReaderValues.parse({ serviceAccount: primaryReader });
  return {
    release: { name: releaseNames.reader, namespace: mesh.istio.namespace, chart: 'istio-reader', values, waitsFor: [] },
    findings: [],
  };
}

export interface RouteScene {
  readonly mesh: Mesh;
  readonly cluster: ResolvedCluster;
  readonly nodes: readonly RoutableNode[];
  readonly routes: readonly Route[];
  /** Clusters that the routes lead to. */
  readonly peers: readonly ResolvedCluster[];
  readonly sourceNat: SourceNat;
}

/** Chart that puts routes on the nodes of one cluster. */
export function routeRelease(scene: RouteScene): ReleaseResult {
  const { mesh, cluster, sourceNat } = scene;
  const values = RouteInstallerValues.safeParse({
    clusterName: cluster.name,
    protocol: mesh.routes.protocol,
    routes: scene.routes.map(({ dst, via, mtu }) => ({ dst, via, ...(mtu === undefined ? {} : { mtu }) })),
    onlink: mesh.routes.onlink,
    guard: guardOf(scene),
    nodes: jobNodes(scene.nodes),
    masquerade: { exemptCIDRs: sourceNat.method === 'return-rule' ? sourceNat.cidrs : [] },
    ipPools: sourceNat.pools,
    ipPoolApiVersion: calicoApi(cluster),
    image: mesh.routes.image === undefined ? istioImage(mesh.istio, 'proxyv2') : parseImage(mesh.routes.image),
    keeper: { enabled: mesh.routes.keeper },
  });
  if (!values.success) return { findings: [misfit(cluster.name, releaseNames.routes, values.error)] };
  const { routes: name } = releaseNames;
  return { release: { name, namespace: mesh.routes.namespace, chart: 'route-installer', values: values.data, waitsFor: [] }, findings: [] };
}

/** Chart that lets a remote use its control plane. */
export function remoteRelease(mesh: Mesh, plan: RemotePlan): ReleaseResult {
  return plan.era === 'classic' ? classicRelease(mesh, plan.remote, plan.endpoints) : modernRelease(mesh, plan.remote, plan.istiod);
}

function modernRelease(mesh: Mesh, remote: ResolvedCluster, istiod: Endpoint): ReleaseResult {
  const values = IstioRemoteValues.safeParse({
    clusterName: remote.name,
    network: remote.network,
    revision: mesh.istio.revision,
    remotePilotAddresses: istiod.addresses,
    webhook: istiod.hostname === undefined ? {} : { injectionURL: `https://${istiod.hostname}:15017` },
    reader: { serviceAccount: istioNames.readerServiceAccount },
  });
  if (!values.success) return { findings: [misfit(remote.name, releaseNames.remote, values.error)] };
  const waitsFor = istiod.waitsFor === undefined ? [] : [istiod.waitsFor];
  const { remote: name } = releaseNames;
  return { release: { name, namespace: mesh.istio.namespace, chart: 'istio-remote', values: values.data, waitsFor }, findings: [] };
}

function classicRelease(mesh: Mesh, remote: ResolvedCluster, { pilot, policy, statsd, zipkin }: ClassicEndpoints): ReleaseResult {
  const values = IstioRemoteClassicValues.safeParse({
    clusterName: remote.name,
    endpoints: { pilot: demanded(pilot), policy: demanded(policy), statsd: demanded(statsd) },
    citadel: { image: istioImage(mesh.istio, 'citadel') },
  });
  if (!values.success) return { findings: [misfit(remote.name, releaseNames.classic, values.error)] };
  const endpoints = {
    pilot: pilot.addresses,
    policy: policy.addresses,
    statsd: statsd.addresses,
    ...(zipkin.addresses.length === 0 ? {} : { zipkin: zipkin.addresses }),
  };
  const waitsFor = [pilot, policy, statsd, zipkin].flatMap((endpoint) => endpoint.waitsFor ?? []);
  const release = { name: releaseNames.classic, namespace: mesh.istio.namespace, chart: 'istio-remote-classic', waitsFor } as const;
  return { release: { ...release, values: { ...values.data, endpoints } }, findings: [] };
}

/** The chart demands addresses. A release that waits has none yet: something must stand in while the other values get their defaults. */
function demanded(endpoint: Endpoint): readonly string[] {
  return endpoint.addresses.length > 0 ? endpoint.addresses : ['0.0.0.0'];
}

function guardOf({ cluster, peers }: RouteScene) {
  const subnets = nodeSubnets(cluster);
  const hosts = [...nodeAddresses(cluster), ...(cluster.apiServer === undefined ? [] : [cluster.apiServer])];
  return {
    remotePodCIDRs: texts(disjoint(peers.flatMap((peer) => peer.podCIDRs))),
    localPodCIDRs: texts(disjoint(cluster.podCIDRs)),
    serviceCIDRs: texts(disjoint(cluster.serviceCIDRs)),
    nodeCIDRs: texts(aggregate([...subnets, ...hosts])),
  };
}

function texts(cidrs: readonly Cidr[]): string[] {
  return cidrs.map(formatCidr);
}

/** A Job on a node that is not ready would never end; the keeper serves that node when it comes back. */
function jobNodes(nodes: readonly RoutableNode[]): string[] {
  return nodes.length > maxJobNodes ? [] : nodes.filter((node) => node.ready).map((node) => node.name);
}

/** The facts name the API that Calico's objects were read from as the source of the CNI. */
function calicoApi(cluster: ResolvedCluster): string {
  return cluster.facts.cni?.source.startsWith('projectcalico.org/v3') === true ? 'projectcalico.org/v3' : 'crd.projectcalico.org/v1';
}

interface Misfit {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
}

function misfit(cluster: string, release: string, { issues }: Misfit): Finding {
  const [issue] = issues;
  const path = issue?.path.map(String).join('.') ?? '';
  return makeFinding({
    code: 'ISM078',
    cluster,
    where: `${release} ${path}`,
    message: `${path} of ${release}: ${issue?.message ?? 'unknown reason'}.`,
  });
}
