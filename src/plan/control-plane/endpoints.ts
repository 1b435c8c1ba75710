// Where a remote reaches its control plane: addresses given by the user, or those of the primary's ILBs or gateway.
import { parseAddress } from '../../base/cidr.ts';
import { gatewayName } from '../../base/names.ts';
import { makeFinding } from '../../findings/index.ts';
import type { Finding } from '../../findings/types.ts';
import type { ResolvedCluster } from '../cluster.ts';
import type { Ilb } from '../types.ts';
import { type AddressScene, checkAddresses, checkFamily, usableAddresses } from './address.ts';
import { classicEndpoints, istiodIlb } from './services.ts';

/** Where one component answers. Without addresses the remote waits, unless a host name is enough. */
export interface Endpoint {
  readonly addresses: readonly string[];
  readonly hostname?: string;
  /** `address of istiod-ilb in cluster1`; absent when nothing is waited for. */
  readonly waitsFor?: string;
}

export interface RemoteScene extends AddressScene {
  readonly remote: ResolvedCluster;
  readonly primary: string;
  /** Load balancers of the primary: its ILBs and its east-west gateway. */
  readonly ilbs: readonly Ilb[];
  /** True where the remote reaches the primary through its east-west gateway alone. */
  readonly throughGateway: boolean;
}

export interface Planned<T> {
  readonly value: T;
  readonly findings: readonly Finding[];
}

/** istiod as a modern remote reaches it. A host name without addresses serves injection through its URL. */
export function istiodEndpoint(scene: RemoteScene): Planned<Endpoint> {
  const value = givenEndpoint(scene) ?? ilbEndpoint(scene, scene.throughGateway ? gatewayName : istiodIlb);
  return { value, findings: [...checkEndpoint(scene, value), ...checkFamily(scene.remote, value.addresses)] };
}

export type ClassicEndpoints = Readonly<Record<keyof typeof classicEndpoints, Endpoint>>;

/** The components of Istio 0.8 as a remote reaches them; remotePilotAddress is that of pilot. */
export function classicRemoteEndpoints(scene: RemoteScene): Planned<ClassicEndpoints> {
  const pilot = givenEndpoint(scene) ?? ilbEndpoint(scene, classicEndpoints.pilot);
  const value = {
    pilot: onlyAddresses(pilot),
    policy: onlyAddresses(ilbEndpoint(scene, classicEndpoints.policy)),
    statsd: onlyAddresses(ilbEndpoint(scene, classicEndpoints.statsd)),
    zipkin: onlyAddresses(ilbEndpoint(scene, classicEndpoints.zipkin)),
  };
  const all = Object.values(value).flatMap((endpoint) => endpoint.addresses);
  return { value, findings: [...checkEndpoint(scene, pilot), ...checkFamily(scene.remote, [...new Set(all)])] };
}

function givenEndpoint({ remote }: RemoteScene): Endpoint | undefined {
  const given = remote.spec.remotePilotAddress;
  if (given === undefined) return undefined;
  if (typeof given !== 'string') return { addresses: usableAddresses(given) };
  return typeof parseAddress(given) === 'string' ? { addresses: [], hostname: given } : { addresses: [given] };
}

function ilbEndpoint({ ilbs, primary }: RemoteScene, name: string): Endpoint {
  const address = ilbs.find((ilb) => ilb.name === name)?.address;
  const waitsFor = `address of ${name} in ${primary}`;
  if (address === undefined || address.state === 'pending') return { addresses: [], waitsFor };
  const { addresses, hostname } = address;
  if (addresses.length > 0) return { addresses };
  return hostname === undefined ? { addresses, waitsFor } : { addresses, hostname };
}

/** Endpoints of Istio 0.8 are addresses; a host name alone is waited on for ever, which the plan says. */
function onlyAddresses(endpoint: Endpoint): Endpoint {
  if (endpoint.addresses.length > 0 || endpoint.hostname === undefined) return endpoint;
  return { ...endpoint, waitsFor: `addresses behind ${endpoint.hostname}` };
}

function checkEndpoint(scene: RemoteScene, endpoint: Endpoint): Finding[] {
  const { remote, era } = scene;
  if (endpoint.hostname !== undefined) return [hostnameFinding(scene, endpoint.hostname)];
  const given = remote.spec.remotePilotAddress;
  if (given === undefined) return [];
  const addresses = typeof given === 'string' ? [given] : given;
  const what = `remotePilotAddress${era === 'classic' ? ' (pilot)' : ''}`;
  return checkAddresses({ what, cluster: remote.name, addresses }, scene);
}

function hostnameFinding({ remote, era }: RemoteScene, hostname: string): Finding {
  const use =
    era === 'classic' ? 'Istio 0.8 needs addresses' : `injection uses https://${hostname}:15017, and sidecars still need addresses`;
  return makeFinding({ code: 'ISM065', cluster: remote.name, message: `The control plane is known as ${hostname} only; ${use}.` });
}
