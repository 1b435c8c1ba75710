// A real Istio primary on the lab's nodes: installed as its documentation says, from the lab's images, with stock Envoy.
import type { ApiClient } from '../client.ts';
import { namespaceOf, type PrimaryOptions, renderPrimary } from '../istio.ts';
import { istioHub, istioVersion } from '../istio-images.ts';
import { putAll } from '../objects.ts';
import { waitFor } from '../wait.ts';

/** What lets many small nodes share one machine, and what stock Envoy lacks: the filters that Istio compiles into its own. */
const values = {
  'global.imagePullPolicy': 'IfNotPresent',
  'global.proxy.resources.requests.cpu': '10m',
  'global.proxy.resources.requests.memory': '32Mi',
  'pilot.autoscaleEnabled': 'false',
  'pilot.resources.requests.cpu': '50m',
  'pilot.resources.requests.memory': '128Mi',
  'pilot.env.PILOT_ENABLE_METADATA_EXCHANGE': 'false',
  'pilot.env.PILOT_ENABLE_ALPN_FILTER': 'false',
  'telemetry.enabled': 'false',
};

/** Installs istiod and its custom resource definitions, and returns when it is ready. */
export async function installPrimary(client: ApiClient, options: Omit<PrimaryOptions, 'version'>): Promise<void> {
  const objects = await renderPrimary({ ...options, version: istioVersion, hub: istioHub, values });
  await putAll(client, [namespaceOf(options)]);
  await putAll(client, objects);
  await istiodReady(client);
  await waitFor('istiod to turn its validation on', () => validates(client), 120_000);
}

/** istiod lets wrong objects pass until it has seen that it refuses one. */
async function validates(client: ApiClient): Promise<boolean> {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/istio-validator-istio-system';
  const { webhooks } = (await client.get(path)) as { webhooks: readonly { readonly failurePolicy: string }[] };
  return webhooks.every(({ failurePolicy }) => failurePolicy === 'Fail');
}

/** Waits until the newest istiod, and no older one, is ready. */
export async function istiodReady(client: ApiClient): Promise<void> {
  await waitFor(
    'istiod to be ready',
    async () => {
      const { metadata, status } = (await client.get('/apis/apps/v1/namespaces/istio-system/deployments/istiod')) as Deployment;
      return status?.observedGeneration === metadata.generation && status.updatedReplicas === 1 && status.availableReplicas === 1;
    },
    120_000,
  );
}

interface Deployment {
  readonly metadata: { readonly generation: number };
  readonly status?: { readonly observedGeneration?: number; readonly updatedReplicas?: number; readonly availableReplicas?: number };
}
