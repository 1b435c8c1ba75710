// Stands for an istiod that isthmus has installed: it publishes its root, answers webhooks, and serves the remotes that it is given.
import type { KubeObject } from '../../src/base/objects.ts';
import type { Cluster } from '../lab/cluster.ts';
import { type Repeating, repeat } from '../lab/repeat.ts';

const system = '/api/v1/namespaces/istio-system';
const admission = '/apis/admissionregistration.k8s.io/v1';
const manager = 'fieldManager=pilot-discovery';
const published = `${system}/configmaps/istio-ca-root-cert`;

interface Webhook {
  readonly clientConfig: { readonly caBundle?: string };
  readonly failurePolicy?: string;
}

interface Webhooks extends KubeObject {
  readonly webhooks: readonly Webhook[];
}

/** What istiod does in its own cluster and in `others`, as long as its Deployment has a ready pod. */
export function startOwnIstiod(own: Cluster, others: readonly Cluster[]): Repeating {
  return repeat(async () => {
    const root = await rootOf(own);
    if (root === undefined) return;
    await serve(own, root);
    for (const cluster of others) if (await isServed(own, cluster)) await serve(cluster, root);
  });
}

/** The root of Secret cacerts, once istiod runs. */
async function rootOf({ client }: Cluster): Promise<string | undefined> {
  const deployment = (await client.get('/apis/apps/v1/namespaces/istio-system/deployments/istiod')) as Deployment | undefined;
  if ((deployment?.status?.readyReplicas ?? 0) === 0) return undefined;
  const signer = (await client.get(`${system}/secrets/cacerts`)) as { readonly data: Record<string, string> } | undefined;
  return signer?.data['root-cert.pem'];
}

/** What istiod asks for: the remote secret in its own cluster, and that cluster's name on the namespace of the remote. */
async function isServed(own: Cluster, remote: Cluster): Promise<boolean> {
  const secret = await own.client.get(`${system}/secrets/istio-remote-secret-${remote.name}`);
  const namespace = (await remote.client.get(system)) as KubeObject | undefined;
  return secret !== undefined && namespace?.metadata.annotations?.['topology.istio.io/controlPlaneClusters'] === own.name;
}

/** First the root, by which pods can trust istiod, and then the webhooks, which let there be pods. */
async function serve({ client }: Cluster, root: string): Promise<void> {
  const data = { 'root-cert.pem': Buffer.from(root, 'base64').toString() };
  const metadata = { name: 'istio-ca-root-cert', namespace: 'istio-system', labels: { 'istio.io/config': 'true' } };
  if ((await client.get(published)) === undefined)
    await client.create(`${system}/configmaps`, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
  for (const kind of ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']) {
    const path = `${admission}/${kind.toLowerCase()}s`;
    for (const found of (await client.list(path)) as Webhooks[]) {
      const webhooks = found.webhooks.map((each) => answered(each, root));
      if (JSON.stringify(webhooks) === JSON.stringify(found.webhooks)) continue;
      await client.request('PUT', `${path}/${found.metadata.name}?${manager}`, {
        ...found,
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind,
        webhooks,
      });
    }
  }
}

function answered(webhook: Webhook, caBundle: string): Webhook {
  return { ...webhook, failurePolicy: 'Fail', clientConfig: { ...webhook.clientConfig, caBundle } };
}

interface Deployment {
  readonly status?: { readonly readyReplicas?: number };
}
