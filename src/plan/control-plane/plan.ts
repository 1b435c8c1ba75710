// Everything about the control plane at once: ILBs of the primaries, endpoints of the remotes, and what is wrong with either.
import type { Finding } from '../../findings/types.ts';
import type { Era, Mesh } from '../../spec/schema.ts';
import type { ResolvedCluster } from '../cluster.ts';
import type { Ilb } from '../types.ts';
import { type ClassicEndpoints, classicRemoteEndpoints, type Endpoint, istiodEndpoint } from './endpoints.ts';
import { planIlbs } from './ilb.ts';
import { checkPrimary } from './primary.ts';
import { checkRemote, checkRoots, primaryOf } from './remote.ts';
import { checkRevision } from './revision.ts';
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

export interface ControlPlanePlan {
  /** ILBs by primary; a primary without remotes has none. */
  readonly ilbs: ReadonlyMap<string, readonly Ilb[]>;
  readonly remotes: readonly RemotePlan[];
  readonly findings: readonly Finding[];
}

/** Plans the control plane of the mesh. A mesh of one primary alone needs none of it. */
export function planControlPlane(scene: ControlPlaneScene): ControlPlanePlan {
  const { mesh, clusters } = scene;
  const remotes = clusters.filter((cluster) => cluster.spec.role === 'remote');
  const served = new Set(remotes.map((remote) => primaryOf(remote, clusters)).filter((primary) => primary !== undefined));
  const primaries = clusters.filter((cluster) => served.has(cluster));
  const plans = primaries.map((primary) => ({ primary, ...planIlbs(ilbScene(scene, primary)) }));
  const wanted = plans.filter(({ primary }) => needsIlbs(scene, primary, remotes));
  const ilbs = new Map(wanted.map((plan) => [plan.primary.name, plan.ilbs]));
  const planned = remotes.map((remote) => planRemote(scene, remote, ilbs));
  return {
    ilbs,
    remotes: planned.flatMap(({ plan }) => (plan === undefined ? [] : [plan])),
    findings: [
      ...checkIstioVersions(mesh, primaries),
      ...clusters.flatMap((cluster) => checkKubernetes(mesh, cluster)),
      ...primaries.flatMap((primary) => checkServing(scene, primary)),
      ...wanted.flatMap((plan) => plan.findings),
      ...planned.flatMap((plan) => plan.findings),
      ...checkRoots(clusters),
    ],
  };
}

function ilbScene(scene: ControlPlaneScene, primary: ResolvedCluster) {
  const { mesh, era, clusters } = scene;
  const index = mesh.clusters.indexOf(primary.spec);
  return {
    mesh,
    era,
    clusters,
    primary,
    internalCIDRs: mesh.internalCIDRs,
    locate: (path: readonly (string | number)[]) => scene.locate(['clusters', index, ...path]),
  };
}

/** Remotes that are given an address need no ILB; with Istio 0.8 that is the address of pilot alone. */
function needsIlbs({ era, clusters }: ControlPlaneScene, primary: ResolvedCluster, remotes: readonly ResolvedCluster[]): boolean {
  const own = remotes.filter((remote) => primaryOf(remote, clusters) === primary);
  return era === 'classic' || own.some((remote) => remote.spec.remotePilotAddress === undefined);
}

function checkServing({ era, mesh, meshID }: ControlPlaneScene, primary: ResolvedCluster): Finding[] {
  return era === 'classic' ? checkRevision(primary, mesh.istio.revision) : checkPrimary({ mesh, meshID, primary });
}

function planRemote(
  { mesh, era, clusters }: ControlPlaneScene,
  remote: ResolvedCluster,
  ilbs: ReadonlyMap<string, readonly Ilb[]>,
): { plan?: RemotePlan; findings: Finding[] } {
  const primary = primaryOf(remote, clusters);
  const findings = checkRemote(remote, primary);
  if (primary === undefined) return { findings };
  const scene = { era, clusters, internalCIDRs: mesh.internalCIDRs, remote, primary: primary.name, ilbs: ilbs.get(primary.name) ?? [] };
  if (era === 'classic') {
    const { value, findings: more } = classicRemoteEndpoints(scene);
    return { plan: { remote, primary, era, endpoints: value }, findings: [...findings, ...more] };
  }
  const { value, findings: more } = istiodEndpoint(scene);
  return { plan: { remote, primary, era, istiod: value }, findings: [...findings, ...more] };
}
