// Plans the Services of type LoadBalancer of one cluster: selector, platform switches, address, who may connect.
import { aggregate, formatCidr } from '../../base/cidr.ts';
import { makeFinding } from '../../findings/index.ts';
import type { Finding } from '../../findings/types.ts';
import type { Mesh } from '../../spec/schema.ts';
import { nodeAddresses, nodeSubnets, type ResolvedCluster } from '../cluster.ts';
import { coverOf, disjoint } from '../overlap.ts';
import { compareText, listText, sortBy } from '../text.ts';
import type { Ilb, IlbAddress } from '../types.ts';
import { type AddressScene, checkAddresses, usableAddresses } from './address.ts';
import { type Platform, platformNamed, platformNames, sharingAnnotations } from './platforms.ts';
import { chosenRevision } from './revision.ts';
import { type IlbService, ilbServices } from './services.ts';

export interface IlbScene extends AddressScene {
  readonly mesh: Mesh;
  /** The cluster that the Services are in. */
  readonly cluster: ResolvedCluster;
  /** Position of a value below the cluster's entry in mesh.yaml. */
  locate(path: readonly (string | number)[]): string;
}

/** A Service that is wanted, and who may connect unless mesh.yaml says otherwise; nobody is kept out by an empty list. */
export interface WantedService extends IlbService {
  readonly sourceRanges: readonly string[];
}

export interface IlbPlan {
  readonly ilbs: readonly Ilb[];
  readonly findings: readonly Finding[];
}

/** The Services in front of the control plane of a primary: for the other clusters alone. */
export function controlPlaneServices(scene: IlbScene): readonly WantedService[] {
  const sourceRanges = defaultSourceRanges(scene);
  return ilbServices(scene.era).map((service) => ({ ...service, selector: selectorOf(scene, service), sourceRanges }));
}

/** Every wanted load balancer of a cluster, and what is wrong with their addresses. */
export function planIlbs(scene: IlbScene, wanted: readonly WantedService[]): IlbPlan {
  if (wanted.length === 0) return { ilbs: [], findings: [] };
  const name = platformOf(scene.cluster);
  const platform = platformNamed(name) ?? { annotations: {} };
  const ilbs = wanted.map((service) => planIlb(scene, service, { name, platform }));
  return {
    ilbs,
    findings: [...checkPlatform(scene, name, ilbs), ...ilbs.flatMap((ilb) => checkIlb(scene, ilb)), ...checkShared(scene.cluster, ilbs)],
  };
}

interface NamedPlatform {
  readonly name: string;
  readonly platform: Platform;
}

function planIlb(scene: IlbScene, service: WantedService, { name, platform }: NamedPlatform): Ilb {
  const { loadBalancer } = scene.cluster.spec;
  const fixed = fixedAddress(scene, service.name);
  const annotated = fixed === undefined ? {} : addressAnnotation(platform, fixed);
  const loadBalancerClass = loadBalancer.class ?? platform.loadBalancerClass;
  return {
    name: service.name,
    namespace: scene.mesh.istio.namespace,
    selector: service.selector,
    ports: service.ports,
    platform: name,
    annotations: Object.fromEntries(
      Object.entries({ ...platform.annotations, ...annotated, ...loadBalancer.annotations }).sort(([a], [b]) => compareText(a, b)),
    ),
    ...(loadBalancerClass === undefined ? {} : { loadBalancerClass }),
    ...(fixed !== undefined && Object.keys(annotated).length === 0 ? { loadBalancerIP: fixed } : {}),
    sourceRanges: loadBalancer.sourceRanges ?? service.sourceRanges,
    address: addressOf(scene, service.name, fixed),
  };
}

/** What the user says, else the cloud that answers, else the implementation in the cluster. */
function platformOf({ spec, facts }: ResolvedCluster): string {
  if (spec.loadBalancer.platform !== undefined) return spec.loadBalancer.platform;
  const implementation = facts.loadBalancer?.value ?? 'unknown';
  return implementation === 'cloud' ? (facts.platform?.value ?? 'unknown') : implementation;
}

function fixedAddress({ cluster }: IlbScene, service: string): string | undefined {
  const { addresses } = cluster.spec.loadBalancer;
  return Object.hasOwn(addresses, service) ? addresses[service] : undefined;
}

function addressAnnotation(platform: Platform, address: string): Record<string, string> {
  const key = platform.addressAnnotation?.[address.includes(':') ? 6 : 4];
  if (key === undefined) return {};
  return { [key]: platform.addressList === true ? JSON.stringify([address]) : address };
}

function selectorOf({ era, mesh, cluster }: IlbScene, service: IlbService): Readonly<Record<string, string>> {
  if (era === 'classic') return service.selector;
  const live = chosenRevision(cluster, mesh.istio.revision)?.selector;
  if (live !== undefined && Object.keys(live).length > 0) return live;
  return mesh.istio.revision === '' ? service.selector : { ...service.selector, 'istio.io/rev': mesh.istio.revision };
}

/** Pods, nodes and API servers of the other clusters; subnets stand for nodes where they are known. */
function defaultSourceRanges({ cluster: own, clusters }: IlbScene): string[] {
  const ranges = clusters
    .filter((cluster) => cluster.name !== own.name)
    .flatMap((cluster) => {
      const subnets = disjoint(nodeSubnets(cluster));
      const hosts = [...nodeAddresses(cluster), ...(cluster.apiServer === undefined ? [] : [cluster.apiServer])];
      return [...cluster.podCIDRs, ...subnets, ...hosts.filter((host) => coverOf(subnets, host) === undefined)];
    });
  return aggregate(ranges).map(formatCidr);
}

function addressOf(scene: IlbScene, service: string, fixed: string | undefined): IlbAddress {
  if (fixed !== undefined) {
    return { state: 'fixed', addresses: [fixed], source: scene.locate(['loadBalancer', 'addresses', service]) };
  }
  const live = liveService(scene, service);
  const addresses = usableAddresses(live?.addresses ?? []).sort(compareText);
  const hostname = [...(live?.hostnames ?? [])].sort(compareText)[0];
  if (addresses.length === 0 && hostname === undefined) return { state: 'pending' };
  const source = `Service ${scene.mesh.istio.namespace}/${service}`;
  return { state: 'found', addresses, ...(hostname === undefined ? {} : { hostname }), source };
}

function liveService({ mesh, cluster }: IlbScene, name: string) {
  return cluster.facts.services.find((service) => service.namespace === mesh.istio.namespace && service.name === name);
}

function checkIlb(scene: IlbScene, ilb: Ilb): Finding[] {
  const cluster = scene.cluster.name;
  if (ilb.address.state === 'pending') {
    return [
      makeFinding({
        code: 'ISM063',
        cluster,
        message: `The address of ${ilb.name} is given by the load balancer once the Service is there.`,
      }),
    ];
  }
  const { addresses, source } = ilb.address;
  return [...checkAddresses({ what: ilb.name, cluster, addresses, source }, scene), ...differs(scene, ilb)];
}

/** A fixed address that the live Service does not have. */
function differs(scene: IlbScene, ilb: Ilb): Finding[] {
  const live = [...(liveService(scene, ilb.name)?.addresses ?? [])].sort(compareText);
  if (ilb.address.state !== 'fixed' || live.length === 0 || ilb.address.addresses.every((address) => live.includes(address))) return [];
  const { addresses, source } = ilb.address;
  const message = `${ilb.name} shall have ${listText(addresses)} and has ${listText(live)}. mesh.yaml is used.`;
  return [makeFinding({ code: 'ISM005', cluster: scene.cluster.name, where: source, message })];
}

function checkPlatform({ cluster: own }: IlbScene, name: string, ilbs: readonly Ilb[]): Finding[] {
  const cluster = own.name;
  const platform = platformNamed(name);
  const { annotations, class: ownClass } = own.spec.loadBalancer;
  if (platform?.needs !== undefined && !Object.hasOwn(annotations, platform.needs)) {
    const message = `On ${name} a load balancer is internal only with annotation ${platform.needs}, which is missing.`;
    return [makeFinding({ code: 'ISM060', cluster, message, hint: 'Add it to `loadBalancer.annotations` of this cluster.' })];
  }
  if (platform !== undefined || ownClass !== undefined || Object.keys(annotations).length > 0) return [];
  if (name === 'none') {
    if (ilbs.every((ilb) => ilb.address.state === 'found')) return [];
    return [makeFinding({ code: 'ISM064', cluster, message: 'No load balancer implementation was found in this cluster.' })];
  }
  if (name === 'unknown' && !own.readable) return [];
  const message = `Nothing is known about load balancers of platform ${name}, so the Services carry no annotation that makes them internal.`;
  return [
    makeFinding({
      code: 'ISM064',
      cluster,
      message,
      hint: `Known are ${platformNames().join(', ')}. Others: set \`loadBalancer.annotations\` or \`class\`.`,
    }),
  ];
}

/** Two Services that want one address: among ours, and against those that are there already. */
function checkShared(cluster: ResolvedCluster, ilbs: readonly Ilb[]): Finding[] {
  const owners = new Map<string, string[]>();
  for (const { name, addresses } of addressClaims(cluster, ilbs)) {
    for (const address of addresses) owners.set(address, [...(owners.get(address) ?? []), name]);
  }
  return [...owners]
    .filter(([, names]) => names.length > 1)
    .map(([address, names]) =>
      makeFinding({ code: 'ISM061', cluster: cluster.name, message: `${listText(names)} all ask for ${address}.` }),
    );
}

interface Claim {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** Who asks for which address, where ours are fixed and may not be shared. */
function addressClaims(cluster: ResolvedCluster, ilbs: readonly Ilb[]): Claim[] {
  const ours = ilbs.flatMap((ilb): Claim[] => {
    const shared = sharingAnnotations.some((key) => Object.hasOwn(ilb.annotations, key));
    return ilb.address.state === 'fixed' && !shared ? [{ name: ilb.name, addresses: ilb.address.addresses }] : [];
  });
  const wanted = new Set(ours.flatMap((claim) => claim.addresses));
  const own = new Set(ilbs.map((ilb) => `${ilb.namespace}/${ilb.name}`));
  const theirs = cluster.facts.services
    .map(({ namespace, name, addresses, requested }) => ({
      name: `${namespace}/${name}`,
      addresses: [...new Set([...addresses, ...requested])],
    }))
    .filter(({ name }) => !own.has(name))
    .map(({ name, addresses }) => ({ name, addresses: addresses.filter((address) => wanted.has(address)) }));
  return [...ours, ...sortBy(theirs, ({ name }) => name)];
}
