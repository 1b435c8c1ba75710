// Everything about the control plane at once: ILBs of the primaries, gateways, endpoints of the remotes, and what is wrong with them.
import { gatewayName } from '../../base/names.ts';
import { makeFinding } from '../../findings/index.ts';
import type { Finding } from '../../findings/types.ts';
import type { Era, Mesh } from '../../spec/schema.ts';
import type { ResolvedCluster } from '../cluster.ts';
import type { Ilb } from '../types.ts';
import { checkAmbient, isAmbient } from './ambient.ts';
import { type ClassicEndpoints, classicRemoteEndpoints, type Endpoint, istiodEndpoint } from './endpoints.ts';
import { controlPlaneServices, type IlbScene, planIlbs } from './ilb.ts';
import { checkPrimary } from './primary.ts';
import { checkRemote, checkRoots, primaryOf } from './remote.ts';
import { checkRevision } from './revision.ts';
import { ambientGatewayService, gatewayService } from './services.ts';
import { checkIstioVersions, checkKubernetes } from './versions.ts';

export interface ControlPlaneScene {
  readonly mesh: Mesh;
  readonly meshID: string;
  readonly era: Era;
  readonly clusters: readonly ResolvedCluster[];
  /** Position of a value of mesh.yaml. */
  locate(path: readonly (string | number)[]): string;
}

/** A remote with its primary and where it reaches the control plane. */
export type RemotePlan = { readonly remote: ResolvedCluster; readonly primary: ResolvedCluster } & (
  | { readonly era: 'modern'; readonly istiod: Endpoint }
  | { readonly era: 'classic'; readonly endpoints: ClassicEndpoints }
);

/** The east-west gateway of one cluster. */
export interface GatewayPlan {
  readonly service: Ilb;
  /** Whether remotes in other networks reach the istiod of this cluster through it. */
  readonly exposesIstiod: boolean;
}

export interface ControlPlanePlan {
  /** ILBs by primary; a primary without remotes in its network has none. */
  readonly ilbs: ReadonlyMap<string, readonly Ilb[]>;
  /** By cluster; empty when all are in one network. */
  readonly gateways: ReadonlyMap<string, GatewayPlan>;
  readonly remotes: readonly RemotePlan[];
  readonly findings: readonly Finding[];
}

/** Plans the control plane of the mesh, and the gateways between its networks. A mesh of one primary alone needs none of it. */
export function planControlPlane(scene: ControlPlaneScene): ControlPlanePlan {
  const { mesh, clusters } = scene;
  const remotes = clusters.filter((cluster) => cluster.spec.role === 'remote');
  const served = new Set(remotes.map((remote) => primaryOf(remote, clusters)).filter((primary) => primary !== undefined));
  const joined = clusters.filter((cluster) => served.has(cluster) || (cluster.spec.role === 'primary' && clusters.length > 1));
  const balancers = clusters.map((cluster) => planBalancers(scene, cluster));
  const planned = remotes.map((remote) => planRemote(scene, remote, balancers));
  return {
    ilbs: new Map(balancers.flatMap(({ cluster, ilbs }) => (ilbs.length === 0 ? [] : [[cluster.name, ilbs] as const]))),
    gateways: new Map(balancers.flatMap(({ cluster, gateway }) => (gateway === undefined ? [] : [[cluster.name, gateway] as const]))),
    remotes: planned.flatMap(({ plan }) => (plan === undefined ? [] : [plan])),
    findings: [
      ...checkIstioVersions(mesh, joined),
      ...clusters.flatMap((cluster) => checkKubernetes(mesh, cluster)),
      ...joined.flatMap((primary) => checkJoined(scene, primary, served.has(primary))),
      ...balancers.flatMap((plan) => plan.findings),
      ...planned.flatMap((plan) => plan.findings),
      ...checkRoots(clusters),
      ...checkAmbient(mesh, clusters),
    ],
  };
}

/** The load balancers of one cluster. */
interface Balancers {
  readonly cluster: ResolvedCluster;
  readonly ilbs: readonly Ilb[];
  readonly gateway: GatewayPlan | undefined;
  readonly findings: readonly Finding[];
}

/** One call for all Services of a cluster, because they must not ask for one address. */
function planBalancers(scene: ControlPlaneScene, cluster: ResolvedCluster): Balancers {
  const own = scene.clusters.filter(({ spec }) => spec.role === 'remote').filter((remote) => primaryOf(remote, scene.clusters) === cluster);
  const exposesIstiod = own.some((remote) => remote.network !== cluster.network);
  const services = ilbScene(scene, cluster);
  // Where packets of another network come from is known to nobody: it may be a node, a router or a NAT in between.
  const wanted = isAmbient(scene.mesh) ? ambientGatewayService() : gatewayService(exposesIstiod);
  const gateway = isNetworked(scene) ? [{ ...wanted, sourceRanges: [] }] : [];
  const { ilbs, findings } = planIlbs(services, [...(needsIlbs(scene, cluster, own) ? controlPlaneServices(services) : []), ...gateway]);
  const service = ilbs.find(({ name }) => name === gatewayName);
  return {
    cluster,
    ilbs: ilbs.filter((ilb) => ilb !== service),
    gateway: service === undefined ? undefined : { service, exposesIstiod },
    findings: [...findings, ...unusedSettings(cluster, ilbs)],
  };
}

/** Whether a remote gets a load balancer is known here only, so mesh.yaml may say how. */
function unusedSettings({ name, spec }: ResolvedCluster, ilbs: readonly Ilb[]): Finding[] {
  const { annotations, addresses, ...rest } = spec.loadBalancer;
  const isSet = [annotations, addresses, rest].some((part) => Object.keys(part).length > 0);
  if (ilbs.length > 0 || spec.role === 'primary' || !isSet) return [];
  const message = '`loadBalancer` is written for this remote, and no load balancer is needed in it.';
  return [makeFinding({ code: 'ISM068', cluster: name, message })];
}

/** Istio 0.8 has no gateways between networks. */
function isNetworked({ era, clusters }: Pick<ControlPlaneScene, 'era' | 'clusters'>): boolean {
  return era === 'modern' && new Set(clusters.map(({ network }) => network)).size > 1;
}

function ilbScene(scene: ControlPlaneScene, cluster: ResolvedCluster): IlbScene {
  const { mesh, era, clusters } = scene;
  const index = mesh.clusters.indexOf(cluster.spec);
  return {
    mesh,
    era,
    clusters,
    cluster,
    internalCIDRs: mesh.internalCIDRs,
    locate: (path: readonly (string | number)[]) => scene.locate(['clusters', index, ...path]),
  };
}

/** Remotes of other networks need no ILB, nor do those that are given an address; with Istio 0.8 that is the address of pilot alone. */
function needsIlbs({ era }: ControlPlaneScene, primary: ResolvedCluster, own: readonly ResolvedCluster[]): boolean {
  if (era === 'classic') return own.length > 0;
  return own.some((remote) => remote.spec.remotePilotAddress === undefined && remote.network === primary.network);
}

function checkJoined(scene: ControlPlaneScene, primary: ResolvedCluster, serves: boolean): Finding[] {
  const { era, mesh, meshID } = scene;
  if (era === 'modern') return checkPrimary({ mesh, meshID, primary, serves, networked: isNetworked(scene) });
  return serves ? checkRevision(primary, mesh.istio.revision) : [];
}

function planRemote(
  { mesh, era, clusters }: ControlPlaneScene,
  remote: ResolvedCluster,
  balancers: readonly Balancers[],
): { plan?: RemotePlan; findings: Finding[] } {
  const primary = primaryOf(remote, clusters);
  const findings = checkRemote(remote, primary);
  if (primary === undefined) return { findings };
  const balanced = balancers.find(({ cluster }) => cluster === primary);
  const ilbs = [...(balanced?.ilbs ?? []), ...(balanced?.gateway === undefined ? [] : [balanced.gateway.service])];
  const throughGateway = isNetworked({ era, clusters }) && remote.network !== primary.network;
  const scene = { era, clusters, internalCIDRs: mesh.internalCIDRs, remote, primary: primary.name, ilbs, throughGateway };
  if (era === 'classic') {
    const { value, findings: more } = classicRemoteEndpoints(scene);
    return { plan: { remote, primary, era, endpoints: value }, findings: [...findings, ...more] };
  }
  const { value, findings: more } = istiodEndpoint(scene);
  return { plan: { remote, primary, era, istiod: value }, findings: [...findings, ...more] };
}
