// The primary's own Istio where isthmus installs it: what it will be, its releases, and when it must not be touched.
import { releaseNames } from '../../base/names.ts';
import type { ClusterFacts } from '../../facts/schema.ts';
import { makeFinding } from '../../findings/index.ts';
import type { Finding } from '../../findings/types.ts';
import { eraOf, type Mesh } from '../../spec/schema.ts';
import type { ResolvedCluster, UnplacedCluster } from '../cluster.ts';
import { istioHub } from '../image.ts';
import type { PlannedRelease } from '../types.ts';
import { chosenRevision, type Revision } from './revision.ts';

/** True when isthmus installs istiod in the cluster. */
export function installsIstio(mesh: Mesh, { spec }: Pick<UnplacedCluster, 'spec'>): boolean {
  return spec.role === 'primary' && (spec.install ?? mesh.istio.install);
}

/** The cluster as it will be once its istiod is installed, so that everything that follows is planned for that. */
export function withOwnIstio(mesh: Mesh, meshID: string, cluster: ResolvedCluster): ResolvedCluster {
  if (!installsIstio(mesh, cluster) || eraOf(mesh) === 'classic') return cluster;
  const { namespace, revision: name } = mesh.istio;
  const found = cluster.facts.istio;
  const others = found?.revisions.filter((revision) => revision.name !== name) ?? [];
  const istio: ClusterFacts['istio'] = {
    namespace,
    injectionWebhooks: [],
    ...found,
    revisions: [...others, ownRevision(mesh, meshID, cluster)],
  };
  return { ...cluster, facts: { ...cluster.facts, istio } };
}

/** Findings about installing istiod: another one in its place, or an Istio whose charts isthmus does not know. */
export function checkInstall(mesh: Mesh, cluster: UnplacedCluster): Finding[] {
  if (!installsIstio(mesh, cluster)) return [];
  if (eraOf(mesh) === 'classic') {
    const message = `Istio ${mesh.istio.version} is not installed by isthmus.`;
    return [makeFinding({ code: 'ISM070', cluster: cluster.name, message, hint: 'Install it as its own documentation says.' })];
  }
  const there = chosenRevision(cluster, mesh.istio.revision);
  if (there === undefined || mesh.istio.adopt || isOwn(there, cluster.name, releaseName(mesh))) return [];
  const message = `istiod${there.version === undefined ? '' : ` ${there.version}`} runs here already (${there.managedBy ?? 'installed by unknown means'}), and mesh.yaml asks to install one.`;
  return [makeFinding({ code: 'ISM079', cluster: cluster.name, message })];
}

/** The releases of Istio's own charts, with the values that make it the primary of this mesh. */
export function istioReleases(
  mesh: Mesh,
  meshID: string,
  { cluster, servesRemotes }: { readonly cluster: ResolvedCluster; readonly servesRemotes: boolean },
): PlannedRelease[] {
  if (!installsIstio(mesh, cluster) || eraOf(mesh) === 'classic') return [];
  const { namespace, revision, version, trustDomain, adopt, values } = mesh.istio;
  const shared = { namespace, adopt, waitsFor: [] };
  const own = {
    revision,
    global: {
      hub: istioHub(mesh.istio),
      tag: version,
      istioNamespace: namespace,
      meshID,
      network: cluster.network,
      multiCluster: { clusterName: cluster.name },
      externalIstiod: servesRemotes,
    },
    meshConfig: { trustDomain },
  };
  return [
    {
      ...shared,
      name: releaseNames.istioBase,
      chart: 'istio-base',
      values: { defaultRevision: revision === '' ? 'default' : revision, global: { istioNamespace: namespace } },
    },
    { ...shared, name: releaseName(mesh), chart: 'istiod', values: merged(values, own) },
  ];
}

function releaseName({ istio }: Mesh): string {
  return istio.revision === '' ? releaseNames.istiod : `${releaseNames.istiod}-${istio.revision}`;
}

/** Charts that isthmus generated are named after release and cluster. */
function isOwn({ chart = '' }: Revision, cluster: string, release: string): boolean {
  return chart.startsWith(`${release}-${cluster}-`);
}

function ownRevision(mesh: Mesh, meshID: string, { name, network }: ResolvedCluster): Revision {
  const { revision, version, trustDomain } = mesh.istio;
  return {
    name: revision,
    version,
    selector: revision === '' ? { app: 'istiod', istio: 'pilot' } : { app: 'istiod', 'istio.io/rev': revision },
    readyPods: 1,
    env: { CLUSTER_ID: name, EXTERNAL_ISTIOD: 'true' },
    network,
    meshID,
    trustDomain,
  };
}

type Values = Readonly<Record<string, unknown>>;

/** Deep: mappings are joined, anything else of `over` replaces what is there. */
function merged(under: Values, over: Values): Values {
  const joined = Object.entries(over).map(([key, value]) => {
    const below = Object.hasOwn(under, key) ? under[key] : undefined;
    return [key, isMapping(below) && isMapping(value) ? merged(below, value) : value] as const;
  });
  return { ...under, ...Object.fromEntries(joined) };
}

function isMapping(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
