// The layer between networks: every cluster has an east-west gateway that is ready, and an address at which the others find it.
import * as z from 'zod';
import { IsthmusError } from '../base/errors.ts';
import { gatewayName } from '../base/names.ts';
import { ingressOf } from '../release/ingress.ts';
import { clustersOf } from './pairs.ts';
import type { Check, Layer, VerifiedCluster } from './types.ts';

const Deployment = z.object({
  spec: z.object({ replicas: z.number().default(1) }),
  status: z.object({ availableReplicas: z.number().default(0) }).prefault({}),
});

export const gatewayLayer: Layer = {
  name: 'gateways',
  serves: 'gateways',
  run: async (scene, pairs) => ({ checks: (await Promise.all(clustersOf(pairs, scene).map(checkCluster))).flat() }),
};

async function checkCluster(cluster: VerifiedCluster): Promise<readonly Check[]> {
  const from = { cluster: cluster.name };
  try {
    return [await checkPods(cluster), await checkAddress(cluster)].map((check) => ({ ...check, from }));
  } catch (error) {
    if (!(error instanceof IsthmusError)) throw error;
    const { message, hint } = error;
    return [{ name: 'gateway', from, outcome: 'failed', message, ...(hint === undefined ? {} : { hint }) }];
  }
}

type Finding = Omit<Check, 'from'>;

async function checkPods({ client, istioNamespace }: VerifiedCluster): Promise<Finding> {
  const found = Deployment.safeParse(await client.get(`/apis/apps/v1/namespaces/${istioNamespace}/deployments/${gatewayName}`));
  if (!found.success)
    return {
      name: 'gateway',
      outcome: 'failed',
      message: `there is no Deployment ${gatewayName}`,
      hint: 'Run `isthmus install`, then verify again.',
    };
  const { spec, status } = found.data;
  if (status.availableReplicas > 0)
    return { name: 'gateway', outcome: 'passed', message: `${status.availableReplicas} of ${spec.replicas} pods` };
  const hint = `Look at the pods: kubectl --namespace ${istioNamespace} describe pods ${gatewayName}. They start once istiod injects them, or makes them for ambient.`;
  return { name: 'gateway', outcome: 'failed', message: 'no pod is ready', hint };
}

async function checkAddress({ client, istioNamespace }: VerifiedCluster): Promise<Finding> {
  const addresses = await ingressOf(client, istioNamespace, gatewayName);
  if (addresses.length > 0) return { name: 'address', outcome: 'passed', message: addresses.join(', ') };
  return { name: 'address', outcome: 'failed', message: 'no load balancer gave it an address, so no other network finds it' };
}
