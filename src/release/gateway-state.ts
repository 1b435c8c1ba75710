// Whether a Gateway of the Gateway API works, as the one who makes it says.
import * as z from 'zod';
import { describeObject, type KubeObject } from '../base/objects.ts';
import type { ClusterReader } from '../system/types.ts';
import type { ReadState } from './workload-types.ts';

const Condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().default(''),
  message: z.string().default(''),
  observedGeneration: z.number().default(0),
});

const Gateway = z.object({
  metadata: z.object({ generation: z.number().default(0) }),
  status: z.object({ conditions: z.array(Condition).default([]) }).prefault({}),
});

/** Istio has Gateways of its own, which only configure proxies. */
export function isGateway({ apiVersion, kind }: KubeObject): boolean {
  return kind === 'Gateway' && apiVersion.startsWith('gateway.networking.k8s.io/');
}

/** Ready once its condition Programmed is true for what it is now: pods run behind it, and it has an address (Gateway API, GatewayConditionType). */
export async function gatewayState(gateway: KubeObject, client: ClusterReader, namespace: string): Promise<ReadState> {
  const name = describeObject(gateway);
  const found = Gateway.safeParse(
    await client.get(`/apis/${gateway.apiVersion}/namespaces/${namespace}/gateways/${gateway.metadata.name}`),
  );
  const missing = found.success ? missingOf(found.data) : 'is not there yet';
  return {
    name,
    ready: missing === undefined ? 1 : 0,
    wanted: 1,
    missing: missing === undefined ? [] : [`${name} ${missing}`],
    pending: [],
  };
}

function missingOf({ metadata, status }: z.infer<typeof Gateway>): string | undefined {
  const current = status.conditions.filter(({ observedGeneration }) => observedGeneration >= metadata.generation);
  const programmed = current.find(({ type }) => type === 'Programmed');
  if (programmed?.status === 'True') return undefined;
  const reason = programmed ?? current.find(({ type }) => type === 'Accepted');
  // Until its controller has seen it, the API server itself says this.
  if (reason === undefined || reason.reason === 'Pending')
    return 'is not taken by istiod: does one run with AMBIENT_ENABLE_MULTI_NETWORK=true?';
  return `is not programmed: ${reason.reason}: ${reason.message}`;
}
