// Ambient in a cluster without nodes of its own: the Gateway API, Istio's objects, and Istio's real istiod, which runs beside the API server.
// It makes gateways and finds those of other clusters; no proxy or ztunnel ever asks it for anything.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeObject } from '../../src/base/objects.ts';
import { parseYamlStream } from '../../src/base/yaml.ts';
import type { ApiClient } from './client.ts';
import type { Cluster } from './cluster.ts';
import { ready, startComponent } from './control-plane.ts';
import { namespaceOf, type PrimaryOptions, renderPrimary } from './istio.ts';
import { putAll } from './objects.ts';
import { freePorts } from './ports.ts';
import { gatewayDefinitions } from './toolchain.ts';
import { waitFor } from './wait.ts';

/** A gateway of a network, as istiod knows it. */
export interface NetworkGateway {
  readonly Network: string;
  readonly Cluster: string;
  readonly Addr: string;
  readonly HBONEPort: number;
}

export interface AmbientIstiod {
  networkGateways(): Promise<readonly NetworkGateway[]>;
}

/** What makes an istiod one for ambient in several networks. */
const ambient = { PILOT_ENABLE_AMBIENT: 'true', AMBIENT_ENABLE_MULTI_NETWORK: 'true' } as const;

/** Puts the definitions of the Gateway API's standard channel into a cluster. */
export async function loadGatewayApi(client: ApiClient, version: string): Promise<void> {
  const folder = await gatewayDefinitions(version);
  const files = readdirSync(folder).filter((file) => file.startsWith('gateway.networking.k8s.io_'));
  const objects = files.flatMap((file) => parseYamlStream(readFileSync(join(folder, file), 'utf8'), file) as KubeObject[]);
  const definitions = objects.filter(({ kind }) => kind === 'CustomResourceDefinition');
  await putAll(client, definitions);
  await waitFor('Gateways to be served', async () => (await client.request('GET', gateways)).status === 200);
}

/** Collection of all Gateways of the Gateway API. */
export const gateways = '/apis/gateway.networking.k8s.io/v1/gateways';

/** Puts an Istio control plane for ambient into a cluster, as objects, and waits until its pod counts as ready. */
export async function loadAmbientPrimary(client: ApiClient, options: PrimaryOptions): Promise<void> {
  const values = Object.fromEntries(Object.entries(ambient).map(([name, value]) => [`pilot.env.${name}`, value]));
  const objects = await renderPrimary({ ...options, hub: 'registry.istio.io/release', values });
  await putAll(client, [namespaceOf(options)]);
  await putAll(
    client,
    objects.filter(({ kind }) => kind !== 'CustomResourceDefinition'),
  );
  await waitFor('istiod to be ready', async () => {
    const deployment = (await client.get('/apis/apps/v1/namespaces/istio-system/deployments/istiod')) as {
      status?: { readyReplicas?: number };
    };
    return (deployment.status?.readyReplicas ?? 0) > 0;
  });
}

/** What istiod writes as soon as the Gateway API is there. */
const gatewayClasses = ['istio', 'istio-east-west', 'istio-remote', 'istio-waypoint'];

/** Starts the istiod of a cluster; it ends with the cluster. */
export async function startAmbientIstiod({ name, folder, kubeconfig, client }: Cluster): Promise<AmbientIstiod> {
  const [http, monitoring] = (await freePorts(2)).map((port) => `127.0.0.1:${port}`);
  const settings = {
    ...ambient,
    POD_NAME: 'istiod',
    POD_NAMESPACE: 'istio-system',
    CLUSTER_ID: name,
    PILOT_ENABLE_LEADER_ELECTION: 'false',
    ENABLE_DEBUG_ENDPOINT_AUTH: 'false',
    // Nobody asks for certificates, and two roots would be refused.
    ENABLE_CA_SERVER: 'false',
  };
  const env = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  const addresses = [`--httpAddr=${http}`, `--monitoringAddr=${monitoring}`, '--httpsAddr=', '--grpcAddr=', '--secureGRPCAddr='];
  const args = ['discovery', `--kubeconfig=${kubeconfig}`, `--clusterID=${name}`, '--ctrlz_port=0', ...addresses];
  const istiod = startComponent({ folder, keep: false, inside: ['env', ...env] }, 'pilot-discovery', args);
  await ready([istiod], `istiod of ${name}`, async () => (await fetch(`http://${http}/ready`)).ok);
  // It is ready before it has written them.
  await ready([istiod], `the classes of gateways of ${name}`, async () => {
    const found = await client.list('/apis/gateway.networking.k8s.io/v1/gatewayclasses');
    return gatewayClasses.every((wanted) => found.some(({ metadata }) => metadata.name === wanted));
  });
  return {
    networkGateways: async () => (await (await fetch(`http://${http}/debug/networkz`)).json()) as NetworkGateway[],
  };
}
