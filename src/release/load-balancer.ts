// Waits for the addresses of ILB Services, where something else waits for them.
import * as z from 'zod';
import { failure } from '../base/errors.ts';
import { eventsOf } from './events.ts';
import type { Run } from './open-run.ts';
import type { StepOutcome } from './run.ts';
import type { Session } from './session.ts';
import type { Release } from './types.ts';

const pollMs = 2_000;
const awaited = /^address of (\S+) in (\S+)$/;

const Service = z.object({
  status: z
    .object({
      loadBalancer: z
        .object({ ingress: z.array(z.object({ ip: z.string().optional(), hostname: z.string().optional() })).nullish() })
        .nullish(),
    })
    .nullish(),
});

/** Waits for the Services of this ILB release whose address other releases of out/ wait for. */
export async function waitForAddresses(run: Run, ilb: Release): Promise<void> {
  const session = run.sessions.get(ilb.cluster);
  if (session === undefined) return;
  const names = run.generated.releases.flatMap(({ waitsFor }) =>
    waitsFor.flatMap((text) => {
      const [, service, cluster] = awaited.exec(text) ?? [];
      return service !== undefined && cluster === ilb.cluster ? [service] : [];
    }),
  );
  for (const name of [...new Set(names)].sort())
    await run.steps.run({ cluster: ilb.cluster, step: `address of ${name}` }, (say) =>
      waitForAddress(run, { session, namespace: ilb.namespace, name }, say),
    );
}

interface Awaited {
  readonly session: Session;
  readonly namespace: string;
  readonly name: string;
}

async function waitForAddress(run: Run, service: Awaited, say: (text: string) => void): Promise<StepOutcome> {
  const { clock, signal } = run.deps;
  const end = clock.now().getTime() + run.timeoutMs;
  for (let first = true; ; first = false) {
    const addresses = await readAddresses(service);
    if (addresses.length > 0) return { outcome: first ? 'unchanged' : 'installed', message: addresses.join(', ') };
    if (first) say('waits for the load balancer');
    if (signal.aborted || clock.now().getTime() >= end) throw await noAddress(service, run.timeoutMs);
    await clock.sleep(pollMs, signal);
  }
}

async function readAddresses({ session, namespace, name }: Awaited): Promise<readonly string[]> {
  const found = Service.safeParse(await session.client.get(`/api/v1/namespaces/${namespace}/services/${name}`));
  if (!found.success) return [];
  return (found.data.status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
}

async function noAddress({ session, namespace, name }: Awaited, timeoutMs: number): Promise<Error> {
  const events = await eventsOf(session.client, namespace, name);
  return failure(`Service ${namespace}/${name} got no address within ${timeoutMs / 1000} s`, {
    where: session.spec.name,
    hint: [...events, 'Does a load balancer serve this cluster? A fixed address can be given in mesh.yaml: loadBalancer.addresses.'].join(
      '\n',
    ),
  });
}
