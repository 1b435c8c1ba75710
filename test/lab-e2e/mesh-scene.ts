// What tests ask of a joined mesh: its load balancers, where remotes find istiod, its gateways, and who answered BookInfo.
import type { KubeObject } from '../../src/base/objects.ts';
import type { RealCluster } from '../lab/nodes/cluster.ts';
import { bookinfoHub } from '../lab/nodes/images.ts';
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
