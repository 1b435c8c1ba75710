// The layer of the control plane: each remote asks for istiod at an address that the primary's load balancer still has.
import * as z from 'zod';
import { parseAddress } from '../base/cidr.ts';
import { IsthmusError } from '../base/errors.ts';
import { gatewayName, ilbNames, releaseNames } from '../base/names.ts';
import { ingressOf } from '../release/ingress.ts';
import type { Check, Layer, Pair, Scene, VerifiedCluster } from './types.ts';

const EndpointSlice = z.object({ endpoints: z.array(z.object({ addresses: z.array(z.string()) })).nullish() });

/** A load balancer may be made anew with another address; nothing tells a remote, and its new pods wait for an istiod that is not there. */
export const controlPlaneLayer: Layer = {
  name: 'control plane',
  serves: 'control plane',
  run: async (scene, pairs) => ({ checks: await Promise.all(pairs.map((pair) => checkRemote(scene, pair))) }),
};

async function checkRemote({ clusters }: Scene, { from, to, through }: Pair): Promise<Check> {
  const check = { name: 'istiod', from: { cluster: from }, to: { cluster: to } };
  const [remote, primary] = [clusters.get(from), clusters.get(to)];
  if (remote === undefined || primary === undefined) return { ...check, outcome: 'skipped', message: 'a cluster does not answer' };
  const service = through === undefined ? ilbNames.modern[0] : gatewayName;
  try {
    const given = (await ingressOf(primary.client, primary.istioNamespace, service)).filter(isAddress);
    return { ...check, ...compare(await askedAddresses(remote), given, { service, to }) };
  } catch (error) {
    if (!(error instanceof IsthmusError)) throw error;
    const { message, hint } = error;
    return { ...check, outcome: 'failed', message, ...(hint === undefined ? {} : { hint }) };
  }
}

/** A load balancer that is known by name alone, or that isthmus did not make, has nothing to compare with. */
function compare(
  asked: readonly string[],
  given: readonly string[],
  { service, to }: { readonly service: string; readonly to: string },
): Pick<Check, 'outcome' | 'message' | 'hint'> {
  if (asked.length === 0) return { outcome: 'skipped', message: 'the remote finds istiod by its name' };
  if (given.length === 0) return { outcome: 'skipped', message: `${service} of ${to} has no address to compare with` };
  const gone = asked.filter((address) => !given.includes(address));
  if (gone.length === 0) return { outcome: 'passed', message: asked.join(', ') };
  return {
    outcome: 'failed',
    message: `asks for istiod at ${gone.join(', ')}, but ${service} of ${to} has ${given.join(', ')} now`,
    hint: 'Run `isthmus generate`, look at what changed, then `isthmus install`. Running pods keep their configuration; new ones wait.',
  };
}

function isAddress(text: string): boolean {
  return typeof parseAddress(text) !== 'string';
}

/** Addresses in the slices of istio-remote. */
async function askedAddresses({ client, istioNamespace }: VerifiedCluster): Promise<readonly string[]> {
  const labelSelector = `app.kubernetes.io/instance=${releaseNames.remote}`;
  const path = `/apis/discovery.k8s.io/v1/namespaces/${istioNamespace}/endpointslices`;
  const slices = (await client.list(path, { labelSelector })) ?? [];
  return slices.flatMap((slice) => EndpointSlice.parse(slice).endpoints ?? []).flatMap(({ addresses }) => addresses);
}
