// Waits for the addresses of ILBs and gateways, where something else waits for them.
import { failure } from '../base/errors.ts';
import { gatewayName } from '../base/names.ts';
import { eventsOf } from './events.ts';
import { ingressOf } from './ingress.ts';
import type { Run } from './open-run.ts';
import type { StepOutcome } from './run.ts';
import type { Session } from './session.ts';
import type { Release } from './types.ts';

const pollMs = 2_000;
const awaited = /^address of (\S+) in (\S+)$/;

/** Waits for the Services of this release whose address something waits for; a release without load balancers has none. */
export async function waitForAddresses(run: Run, release: Release): Promise<void> {
  const session = run.sessions.get(release.cluster);
  if (session === undefined || release.chartPath === undefined) return;
  for (const name of awaitedServices(run, release))
    await run.steps.run({ cluster: release.cluster, step: `address of ${name}` }, (say) =>
      waitForAddress(run, { session, namespace: release.namespace, name }, say),
    );
}

/** Remotes wait for some of the ILBs; for a gateway the other networks do, who find it by its address. */
function awaitedServices({ generated }: Run, { chart, cluster }: Release): readonly string[] {
  if (chart === 'eastwest-gateway' || chart === 'ambient-gateway') return [gatewayName];
  if (chart !== 'istio-ilb') return [];
  const names = generated.releases.flatMap(({ waitsFor }) =>
    waitsFor.flatMap((text) => {
      const [, service, primary] = awaited.exec(text) ?? [];
      return service !== undefined && service !== gatewayName && primary === cluster ? [service] : [];
    }),
  );
  return [...new Set(names)].sort();
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
    const addresses = await ingressOf(service.session.client, service.namespace, service.name);
    if (addresses.length > 0) return { outcome: first ? 'unchanged' : 'installed', message: addresses.join(', ') };
    if (first) say('waits for the load balancer');
    if (signal.aborted || clock.now().getTime() >= end) throw await noAddress(service, run.timeoutMs);
    await clock.sleep(pollMs, signal);
  }
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
