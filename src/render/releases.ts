// releases.yaml: what install, uninstall and bundle need to know about out/, in the order in which things are installed.
import type { ClusterPlan, MeshPlan, PlannedRelease } from '../plan/types.ts';
import type { Mesh } from '../spec/schema.ts';
import type { ChartFolder } from './charts.ts';
import { keptServices } from './ilb.ts';
import { type IndexedRelease, type ReleaseIndex, remoteSecretOrder } from './types.ts';

/** Order of installation within the mesh: all of a lower number come first, whatever their cluster. */
const orders = {
  'istio-base': 3,
  istiod: 6,
  'istio-ilb': 10,
  'eastwest-gateway': 10,
  'ambient-gateway': 10,
  'route-installer': 20,
  'istio-reader': 30,
  'istio-remote': 30,
  'istio-remote-classic': 30,
} as const;

/** The gateway of a remote, which the istiod of its primary injects once it knows the remote. */
const remoteGatewayOrder = remoteSecretOrder + 5;

/**
 * The index of everything in a plan.
 * @param plan the clusters appear in order of name, so that the order in mesh.yaml changes no byte
 * @param mesh for contexts and kubeconfigs, which are no business of the plan
 * @param folders chart folders by `<cluster>/<release>`; a release without one waits
 * @param version version of isthmus
 */
export function releaseIndex(input: {
  readonly plan: MeshPlan;
  readonly mesh: Mesh;
  readonly folders: ReadonlyMap<string, ChartFolder>;
  readonly version: string;
}): ReleaseIndex {
  const { plan, mesh, folders, version } = input;
  return {
    apiVersion: 'isthmus/v1',
    kind: 'ReleaseIndex',
    mesh: plan.mesh,
    isthmus: version,
    istio: plan.istio,
    routesNamespace: mesh.routes.namespace,
    ...(mesh.ignore.length === 0 ? {} : { ignore: mesh.ignore }),
    clusters: clustersByName(plan).map((cluster) => indexCluster(cluster, mesh)),
    releases: clustersByName(plan)
      .flatMap((cluster) => cluster.releases.map((release) => indexRelease(release, cluster, folders)))
      .toSorted((a, b) => a.order - b.order),
    remoteSecrets: clustersByName(plan).flatMap((cluster) => [...cluster.remoteSecrets].sort((a, b) => (a.remote < b.remote ? -1 : 1))),
  };
}

/** The clusters of a plan in order of name. */
export function clustersByName(plan: MeshPlan): readonly ClusterPlan[] {
  return plan.clusters.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Key of a release in the map of chart folders. */
export function folderKey(cluster: string, release: string): string {
  return `${cluster}/${release}`;
}

function indexCluster(cluster: ClusterPlan, mesh: Mesh): ReleaseIndex['clusters'][number] {
  const wanted = mesh.clusters.find(({ name }) => name === cluster.name);
  return {
    name: cluster.name,
    role: cluster.role,
    network: cluster.network,
    ...(cluster.controlPlane === undefined ? {} : { controlPlane: cluster.controlPlane }),
    ...(wanted?.context === undefined ? {} : { context: wanted.context }),
    ...(wanted?.kubeconfig === undefined ? {} : { kubeconfig: wanted.kubeconfig }),
    ...(cluster.uid === undefined ? {} : { uid: cluster.uid }),
    ...(cluster.root === undefined || mesh.istio.ca === undefined
      ? {}
      : { signer: { folder: `${mesh.istio.ca}/${cluster.name}`, root: cluster.root } }),
    namespaces: cluster.namespaces,
    nodes: cluster.nodes.map(({ name }) => name),
  };
}

function keptOf(release: PlannedRelease): Pick<IndexedRelease, 'kept'> {
  if (release.chart === 'istio-ilb') return { kept: keptServices(release.services) };
  return release.chart === 'eastwest-gateway' ? { kept: keptServices([release.service]) } : {};
}

function indexRelease(release: PlannedRelease, cluster: ClusterPlan, folders: ReadonlyMap<string, ChartFolder>): IndexedRelease {
  const made = folders.get(folderKey(cluster.name, release.name));
  return {
    name: release.name,
    namespace: release.namespace,
    cluster: cluster.name,
    chart: release.chart,
    order: release.chart === 'eastwest-gateway' && cluster.role === 'remote' ? remoteGatewayOrder : orders[release.chart],
    ...(made === undefined ? {} : { folder: made.folder, digest: made.digest, version: made.version }),
    ...(made === undefined ? {} : keptOf(release)),
    ...('adopt' in release && release.adopt ? { adopt: true } : {}),
    waitsFor: release.waitsFor,
  };
}
