// The addresses that a load balancer has given to a Service.
import * as z from 'zod';
import type { ClusterReader } from '../system/types.ts';

const Service = z.object({
  status: z
    .object({
      loadBalancer: z
        .object({ ingress: z.array(z.object({ ip: z.string().optional(), hostname: z.string().optional() })).nullish() })
        .nullish(),
    })
    .nullish(),
});

/** IP addresses and host names; empty while there is no such Service, or no load balancer has served it. */
export async function ingressOf(client: Pick<ClusterReader, 'get'>, namespace: string, service: string): Promise<readonly string[]> {
  const found = Service.safeParse(await client.get(`/api/v1/namespaces/${namespace}/services/${service}`));
  if (!found.success) return [];
  return (found.data.status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
}
