// What tests ask of a joined mesh: its load balancers, where remotes find istiod, its gateways, and who answered BookInfo.
import type { KubeObject } from '../../src/base/objects.ts';
import type { RealCluster } from '../lab/nodes/cluster.ts';
import { bookinfoHub } from '../lab/nodes/images.ts';
import { putAll } from '../lab/objects.ts';
import { waitFor } from '../lab/wait.ts';
import type { Operator } from './operator.ts';

export const gateway = 'istio-eastwestgateway';

/** Runs BookInfo over the clusters of an output folder; who answered each stage, and how many requests failed. */
export async function bookinfoAnswers(operator: Operator, out: string): Promise<(readonly [string[], number])[]> {
  const { stdout } = await operator.isthmus('demo', 'bookinfo', out, '--hub', bookinfoHub, '--output', 'json');
  const { stages } = JSON.parse(stdout) as BookinfoResult;
  return stages.map(({ answered, failed }) => [answered.map(({ workload, cluster }) => `${workload} ${cluster}`), failed] as const);
}

/** What `bookinfoAnswers` gives when all is well: all to v1, all to v3, half to each, and no failure. */
export function expectedAnswers(primary: RealCluster, remote: RealCluster): (readonly [string[], number])[] {
  const [one, three] = [`reviews-v1 ${primary.name}`, `reviews-v3 ${remote.name}`];
  return [[one], [three], [one, three]].map((answered) => [answered, 0] as const);
}

/**
 * Lets the pods of another cluster ask for reviews while BookInfo runs: productpage, and the Services that it looks up, as they are
 * in `from`. Returns who answered, once so many different ones have; the namespace is gone afterwards.
 */
export async function answersIn(cluster: RealCluster, { from, count }: { readonly from: RealCluster; readonly count: number }) {
  const place = '/api/v1/namespaces/bookinfo';
  const paths = [
    ...[place, `${place}/serviceaccounts/bookinfo-productpage`, '/apis/apps/v1/namespaces/bookinfo/deployments/productpage-v1'],
    ...['productpage', 'details', 'reviews', 'ratings'].map((name) => `${place}/services/${name}`),
  ];
  for (const path of paths) await putAll(cluster.client, [copyOf((await from.client.get(path)) as KubeObject)]);
  const answered = new Set<string>();
  await waitFor(
    `${count} to answer pods of ${cluster.name}`,
    async () => {
      const { status, body } = await cluster.client.request('GET', `${place}/services/productpage:9080/proxy/api/v1/products/0/reviews`);
      if (status !== 200) return false;
      const { podname, clustername } = body as { readonly podname: string; readonly clustername: string };
      answered.add(`${podname.replace(/-[^-]+-[^-]+$/, '')} ${clustername}`);
      return answered.size >= count;
    },
    120_000,
  );
  await cluster.client.delete(place);
  await waitFor('the namespace to be gone', async () => (await cluster.client.get(place)) === undefined, 60_000);
  return [...answered].sort();
}

/** What was asked for, without what the API server of the first cluster has added. */
function copyOf({ apiVersion, kind, metadata, ...object }: KubeObject): KubeObject {
  const { name, namespace, labels } = metadata;
  const spec = object['spec'] as Readonly<Record<string, unknown>> | undefined;
  const { clusterIP: _, clusterIPs: __, ...asked } = spec ?? {};
  const place = { name, ...(namespace === undefined ? {} : { namespace }), ...(labels === undefined ? {} : { labels }) };
  return { apiVersion, kind, metadata: place, ...(kind === 'Service' || kind === 'Deployment' ? { spec: asked } : {}) };
}

/** Addresses that the load balancer gave to a Service of Istio. */
export async function addressesOf({ client }: RealCluster, service: string): Promise<string[]> {
  const { status } = (await client.get(`/api/v1/namespaces/istio-system/services/${service}`)) as ServiceObject;
  return (status.loadBalancer.ingress ?? []).map(({ ip }) => ip);
}

/** Deletes a Service and lets another one have its address; returns what gives the address back. */
export async function takeAddress({ client }: RealCluster, namespace: string, name: string): Promise<() => Promise<unknown>> {
  const services = (of: string) => `/api/v1/namespaces/${of}/services`;
  await client.delete(`${services(namespace)}/${name}`);
  const taker = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'taker' }, spec: { type: 'LoadBalancer', ports: [{ port: 1 }] } };
  await client.create(services('default'), taker);
  await waitFor('the address to be taken', async () => {
    const { status } = (await client.get(`${services('default')}/taker`)) as ServiceObject;
    return status.loadBalancer.ingress !== undefined;
  });
  return () => client.delete(`${services('default')}/taker`);
}

/** Addresses at which a remote finds its istiod. */
export async function endpointsOf({ client }: RealCluster): Promise<string[]> {
  const slice = (await client.get('/apis/discovery.k8s.io/v1/namespaces/istio-system/endpointslices/istiod')) as SliceObject;
  return slice.endpoints.flatMap(({ addresses }) => addresses);
}

/** Pods of the gateway of a cluster that are ready. */
export async function readyGateways({ client }: RealCluster): Promise<number> {
  const deployment = (await client.get(`/apis/apps/v1/namespaces/istio-system/deployments/${gateway}`)) as DeploymentObject;
  return deployment.status.readyReplicas ?? 0;
}

interface BookinfoResult {
  readonly stages: readonly {
    readonly answered: readonly { readonly workload: string; readonly cluster: string }[];
    readonly failed: number;
  }[];
}

interface ServiceObject extends KubeObject {
  readonly status: { readonly loadBalancer: { readonly ingress?: readonly { readonly ip: string }[] } };
}

interface SliceObject extends KubeObject {
  readonly endpoints: readonly { readonly addresses: readonly string[] }[];
}

interface DeploymentObject extends KubeObject {
  readonly status: { readonly readyReplicas?: number };
}
