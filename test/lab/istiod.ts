// Stands for istiod towards a remote: once its Secret is there and its namespace says whose it is, the webhook gets its CA.
import type { KubeObject } from '../../src/base/objects.ts';
import type { Cluster } from './cluster.ts';
import { type Repeating, repeat } from './repeat.ts';

interface Webhooks extends KubeObject {
  readonly webhooks: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
}

/** Serves the remote as the istiod of the primary would, until it is stopped. */
export function startIstiod(primary: Cluster, remote: Cluster): Repeating {
  return repeat(async () => {
    if (!(await serves(primary, remote))) return;
    const root = (await primary.client.get('/api/v1/namespaces/istio-system/configmaps/istio-ca-root-cert')) as {
      data: Record<string, string>;
    };
    const caBundle = Buffer.from(root.data['root-cert.pem'] ?? '').toString('base64');
    const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
    const configurations = (await remote.client.list(path)) as Webhooks[];
    for (const each of configurations.filter(lacksCa)) {
      const webhooks = each.webhooks.map((webhook) => ({ ...webhook, clientConfig: { ...webhook.clientConfig, caBundle } }));
      const body = { ...each, apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration', webhooks };
      await remote.client.request('PUT', `${path}/${each.metadata.name}?fieldManager=pilot-discovery`, body);
    }
  });
}

/** What istiod itself asks for: the remote secret in the primary, and its cluster's name on the namespace in the remote. */
async function serves(primary: Cluster, remote: Cluster): Promise<boolean> {
  const secret = await primary.client.get(`/api/v1/namespaces/istio-system/secrets/istio-remote-secret-${remote.name}`);
  const namespace = (await remote.client.get('/api/v1/namespaces/istio-system')) as KubeObject | undefined;
  const served = namespace?.metadata.annotations?.['topology.istio.io/controlPlaneClusters']?.split(',') ?? [];
  return secret !== undefined && (served.includes(primary.name) || served.includes('*'));
}

function lacksCa({ webhooks }: Webhooks): boolean {
  return webhooks.some(({ clientConfig }) => (clientConfig.caBundle ?? '') === '');
}
