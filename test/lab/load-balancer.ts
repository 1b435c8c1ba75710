// Stands for a load balancer controller: gives every Service of type LoadBalancer an address and writes it into its status.
import type { KubeObject } from '../../src/base/objects.ts';
import type { ApiClient } from './client.ts';
import { type Repeating, repeat } from './repeat.ts';

interface LoadBalancerService extends KubeObject {
  readonly spec: { readonly type?: string; readonly loadBalancerIP?: string };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

/** Looks at the Services until it is stopped; `addresses` are given out in order. */
export function startLoadBalancer(client: ApiClient, addresses: readonly string[]): Repeating {
  return repeat(() => giveAddresses(client, addresses));
}

async function giveAddresses(client: ApiClient, addresses: readonly string[]): Promise<void> {
  const services = (await client.list('/api/v1/services?resourceVersion=0')) as LoadBalancerService[];
  const balanced = services.filter(({ spec }) => spec.type === 'LoadBalancer');
  const used = new Set(balanced.map(addressOf));
  for (const service of balanced.filter((each) => addressOf(each) === undefined)) {
    const ip = service.spec.loadBalancerIP ?? addresses.find((address) => !used.has(address));
    if (ip === undefined) continue;
    used.add(ip);
    const { namespace, name } = service.metadata;
    await client.mergePatch(`/api/v1/namespaces/${namespace}/services/${name}/status`, { status: { loadBalancer: { ingress: [{ ip }] } } });
  }
}

function addressOf(service: LoadBalancerService): string | undefined {
  return service.status?.loadBalancer?.ingress?.[0]?.ip;
}
