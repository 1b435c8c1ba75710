// A load balancer controller: gives every Service of type LoadBalancer an address and writes it into its status.
import type { KubeObject } from '../../src/base/objects.ts';
import type { ApiClient } from './client.ts';
import { type Repeating, repeat } from './repeat.ts';

interface LoadBalancerService extends KubeObject {
  readonly spec: { readonly type?: string; readonly loadBalancerIP?: string };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

/** Is told all addresses in use, before a Service's status names a new one. */
export type Announce = (addresses: readonly string[]) => Promise<void>;

/** Looks at the Services until it is stopped; `addresses` are given out in order, and nothing answers at them. */
export function startLoadBalancer(client: ApiClient, addresses: readonly string[]): Repeating {
  return repeat(() => giveAddresses(client, addresses, async () => undefined));
}

/** Looks at the Services once. A Service keeps its address; one that asks for a certain address gets it. */
export async function giveAddresses(client: ApiClient, addresses: readonly string[], announce: Announce): Promise<void> {
  const services = (await client.list('/api/v1/services?resourceVersion=0')) as LoadBalancerService[];
  const balanced = services.filter(({ spec }) => spec.type === 'LoadBalancer');
  const used = new Set(balanced.flatMap((service) => addressOf(service) ?? []));
  const given: [LoadBalancerService, string][] = [];
  for (const service of balanced.filter((each) => addressOf(each) === undefined)) {
    const ip = service.spec.loadBalancerIP ?? addresses.find((address) => !used.has(address));
    if (ip === undefined) continue;
    used.add(ip);
    given.push([service, ip]);
  }
  await announce([...used].sort());
  for (const [{ metadata }, ip] of given) {
    const path = `/api/v1/namespaces/${metadata.namespace}/services/${metadata.name}/status`;
    await client.mergePatch(path, { status: { loadBalancer: { ingress: [{ ip }] } } });
  }
}

function addressOf(service: LoadBalancerService): string | undefined {
  return service.status?.loadBalancer?.ingress?.[0]?.ip;
}
