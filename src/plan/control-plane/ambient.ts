// What ambient asks for beyond what sidecars do: a version of Istio, primaries alone, settings of istiod, the Gateway API.
import lt from 'semver/functions/lt.js';
import { makeFinding } from '../../findings/index.ts';
import type { Finding } from '../../findings/types.ts';
import type { Mesh } from '../../spec/schema.ts';
import type { ResolvedCluster } from '../cluster.ts';
import { shellQuote } from '../text.ts';
import { installsIstio } from './install.ts';
import type { Revision } from './revision.ts';

/** The first Istio that joins networks for ambient, its candidates included. */
const firstIstio = '1.27.0-0';

/** The Gateway API whose definitions a finding names where there are none. Istio 1.27 and later take a Gateway of it. */
export const gatewayApiVersion = 'v1.4.1';

/** Environment of an istiod that makes ambient gateways. */
const ambientEnv = ['PILOT_ENABLE_AMBIENT', 'AMBIENT_ENABLE_MULTI_NETWORK'] as const;

/** True for a mesh whose data plane is ambient. */
export function isAmbient({ istio }: Pick<Mesh, 'istio'>): boolean {
  return istio.dataplane === 'ambient';
}

/** Findings about ambient: of the mesh, and of each cluster. None for sidecars, and none where no cluster is joined with another. */
export function checkAmbient(mesh: Mesh, clusters: readonly ResolvedCluster[]): Finding[] {
  if (!isAmbient(mesh) || clusters.length < 2) return [];
  const message = 'The gateways of ambient are made as Istio documents them; no test of isthmus sends traffic through one.';
  return [makeFinding({ code: 'ISM083', message }), ...checkVersion(mesh), ...clusters.flatMap((cluster) => checkCluster(mesh, cluster))];
}

/** What of its environment the istiod of a primary lacks to make ambient gateways, as `NAME=true`; of one that is there, not of one to come. */
export function missingForAmbient(mesh: Mesh, primary: ResolvedCluster, { env }: Revision): readonly string[] {
  return isAmbient(mesh) && !installsIstio(mesh, primary)
    ? ambientEnv.filter((name) => env[name] !== 'true').map((name) => `${name}=true`)
    : [];
}

function checkVersion({ istio }: Mesh): Finding[] {
  if (!lt(istio.version, firstIstio)) return [];
  const message = `Istio ${istio.version} joins no networks for ambient; 1.27 is the first that does.`;
  return [makeFinding({ code: 'ISM080', message, hint: 'Upgrade Istio, or leave `istio.dataplane` out for sidecars.' })];
}

function checkCluster(mesh: Mesh, cluster: ResolvedCluster): Finding[] {
  return [...checkRole(cluster), ...checkInstalled(mesh, cluster), ...checkGatewayApi(cluster)];
}

function checkRole({ name, spec }: ResolvedCluster): Finding[] {
  if (spec.role === 'primary') return [];
  const message = 'It is a remote, and Istio documents ambient for primaries alone.';
  return [makeFinding({ code: 'ISM080', cluster: name, message, hint: 'Install istiod in it, and make it `role: primary`.' })];
}

/** Which parts of Istio ambient consists of, in the order of Istio's documentation. */
function checkInstalled(mesh: Mesh, cluster: ResolvedCluster): Finding[] {
  if (!installsIstio(mesh, cluster)) return [];
  const message = 'mesh.yaml asks isthmus to install Istio, which it does for sidecars alone.';
  const { namespace, version } = mesh.istio;
  const charts = [
    ['istio-base', 'base', ''],
    ['istiod', 'istiod', ` --set profile=ambient --set env.AMBIENT_ENABLE_MULTI_NETWORK=true${settingsOf(mesh, cluster)}`],
    ['istio-cni', 'cni', ' --set profile=ambient'],
    ['ztunnel', 'ztunnel', ` --set multiCluster.clusterName=${cluster.name} --set global.network=${cluster.network}`],
  ] as const;
  const commands = charts.map(
    ([release, chart, set]) =>
      `helm install ${release} istio/${chart} -n ${namespace}${contextFlag(cluster, '--kube-context')} --version ${version}${set}`,
  );
  const hint = ['Leave `install` out, and install it as Istio documents it:', ...commands].join('\n');
  return [makeFinding({ code: 'ISM080', cluster: cluster.name, message, hint })];
}

function settingsOf(mesh: Mesh, { name, network }: ResolvedCluster): string {
  const meshID = mesh.istio.meshID ?? mesh.metadata.name;
  return [`global.meshID=${meshID}`, `global.multiCluster.clusterName=${name}`, `global.network=${network}`]
    .map((setting) => ` --set ${setting}`)
    .join('');
}

/** Where this was not read, by text alone or without permission, nothing is known of it. */
function checkGatewayApi(cluster: ResolvedCluster): Finding[] {
  const { gatewayAPI, problems } = cluster.facts;
  const refused = problems.some(({ where = '' }) => where === '/apis' || where.startsWith('/apis/gateway.networking.k8s.io/'));
  if (!cluster.readable || refused || gatewayAPI !== undefined) return [];
  const url = `https://github.com/kubernetes-sigs/gateway-api/releases/download/${gatewayApiVersion}/standard-install.yaml`;
  const hint = `kubectl${contextFlag(cluster, '--context')} apply --server-side -f ${url}`;
  const message = 'It serves no Gateways of gateway.networking.k8s.io/v1.';
  return [makeFinding({ code: 'ISM082', cluster: cluster.name, message, hint })];
}

function contextFlag({ spec }: ResolvedCluster, flag: string): string {
  return spec.context === undefined ? '' : ` ${flag} ${shellQuote(spec.context)}`;
}
