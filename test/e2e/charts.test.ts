// The hand-written charts on a real API server: it takes every object, and what others write into them survives an upgrade.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { KubeObject } from '../../src/base/objects.ts';
import { chartFolder, ciCases } from '../helpers/chart.ts';
import { type Helm, helms, runHelm, template } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';
import { type Cluster, startCluster } from '../lab/cluster.ts';
import { putAll } from '../lab/objects.ts';
import { waitFor } from '../lab/wait.ts';

const chart = chartFolder('istio-remote');
const values = { clusterName: 'cluster2', network: 'network1', remotePilotAddresses: ['10.0.0.5'] };
const webhookPath = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/istio-sidecar-injector';
const tokenPath = '/api/v1/namespaces/istio-system/secrets/istio-reader-service-account-istio-remote-secret-token';

interface WebhookConfiguration extends KubeObject {
  readonly webhooks: readonly { readonly timeoutSeconds: number; readonly clientConfig: { readonly caBundle?: string } }[];
}

interface TokenSecret {
  readonly data?: { readonly token?: string };
}

describe('charts on a real API server', ({ test, before, after }) => {
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster({ name: 'charts' });
    for (const name of ['istio-system', 'isthmus-system']) await putAll(cluster.client, [namespace(name)]);
  });
  after(() => cluster.stop());

  for (const name of ['istio-remote', 'istio-remote-classic']) {
    for (const { name: title, file } of ciCases(name)) {
      test(`${name}, ${title}: every object is taken`, async () => {
        const objects = await template('helm4', chartFolder(name), { files: [file] });

        await putAll(cluster.client, objects.map(withFamilyOfCluster), { dryRun: true });

        assert.ok(objects.length > 0);
      });
    }
  }

  for (const helm of helms) {
    test(`an upgrade by ${helm} keeps the CA that istiod wrote and the token, and an uninstall leaves nothing`, async () => {
      await helmRun(helm, cluster, ['upgrade', '--install', 'istio-remote', chart], values);
      const token = await waitFor('the token', async () => ((await cluster.client.get(tokenPath)) as TokenSecret).data?.token);
      await writeLikeIstiod(cluster);

      await helmRun(helm, cluster, ['upgrade', 'istio-remote', chart], { ...values, webhook: { timeoutSeconds: 5 } });

      const { webhooks } = (await cluster.client.get(webhookPath)) as WebhookConfiguration;
      const secret = (await cluster.client.get(tokenPath)) as TokenSecret;
      assert.equal(
        webhooks.map(({ timeoutSeconds, clientConfig }) => [timeoutSeconds, clientConfig.caBundle]),
        new Array(4).fill([5, 'Y2VydGlmaWNhdGU=']),
      );
      assert.is(secret.data?.token, token);

      await helmRun(helm, cluster, ['uninstall', 'istio-remote', '--wait'], undefined);

      assert.is(await cluster.client.get(webhookPath), undefined);
      assert.is(await cluster.client.get(tokenPath), undefined);
    });
  }

  test('the API server asks for the sidecar of a pod that wants one, at the path of cluster and network', async () => {
    const pki = join(cluster.folder, 'pki');
    const asked: string[] = [];
    const server = createServer({ key: readFileSync(join(pki, 'apiserver.key')), cert: readFileSync(join(pki, 'apiserver.crt')) });
    server.on('request', async (request, response) => {
      asked.push(request.url?.split('?')[0] ?? '');
      let body = '';
      for await (const chunk of request) body += chunk;
      const { uid } = (JSON.parse(body) as { request: { uid: string } }).request;
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, allowed: true } }));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const injectionURL = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const webhook = { injectionURL, caBundle: readFileSync(join(pki, 'ca.crt')).toString('base64') };
    await helmRun('helm4', cluster, ['upgrade', '--install', 'istio-remote', chart], { ...values, clusterName: 'a/b', webhook });

    // A new webhook takes effect within a second or so.
    await waitFor('the webhook to be asked', async () => {
      await dryRunPod(cluster, { 'sidecar.istio.io/inject': 'true' });
      return asked.length > 0;
    });
    const before = asked.length;
    await dryRunPod(cluster, {});
    await dryRunPod(cluster, { 'sidecar.istio.io/inject': 'false', 'istio.io/rev': 'default' });

    assert.equal([...new Set(asked)], ['/inject/cluster/a--slash--b/net/network1']);
    assert.is(asked.length, before, 'pods that want no sidecar are left alone');
    server.closeAllConnections();
    server.close();
    await helmRun('helm4', cluster, ['uninstall', 'istio-remote', '--wait'], undefined);
  });
});

function namespace(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

/** The lab's cluster has IPv4 Services only; elsewhere the family of the addresses is right. */
function withFamilyOfCluster(object: KubeObject): KubeObject {
  const spec = object['spec'] as { ipFamilies?: unknown } | undefined;
  return spec?.ipFamilies === undefined ? object : { ...object, spec: { ...spec, ipFamilies: ['IPv4'] } };
}

async function helmRun(helm: Helm, cluster: Cluster, command: readonly string[], input: unknown): Promise<void> {
  const where = ['--kubeconfig', cluster.kubeconfig, '--kube-context', cluster.name, '--namespace', 'istio-system'];
  const result = await runHelm(
    helm,
    [...command, ...where, ...(input === undefined ? [] : ['--values', '-'])],
    JSON.stringify(input) ?? '',
  );
  if (result.code !== 0) throw new Error(`${helm} ${command.join(' ')} failed:\n${result.stderr}`);
}

/** istiod reads the configuration, sets its CA in every entry and writes the whole back. */
async function writeLikeIstiod(cluster: Cluster): Promise<void> {
  const configuration = (await cluster.client.get(webhookPath)) as WebhookConfiguration;
  const webhooks = configuration.webhooks.map((entry) => ({
    ...entry,
    clientConfig: { ...entry.clientConfig, caBundle: 'Y2VydGlmaWNhdGU=' },
  }));
  const { status } = await cluster.client.request('PUT', `${webhookPath}?fieldManager=pilot-discovery`, { ...configuration, webhooks });
  assert.is(status, 200);
}

async function dryRunPod(cluster: Cluster, labels: Readonly<Record<string, string>>): Promise<void> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'probe', labels },
    spec: { containers: [{ name: 'probe', image: 'probe' }] },
  };
  const { status, body } = await cluster.client.request('POST', '/api/v1/namespaces/default/pods?dryRun=All', pod);
  assert.is(status, 201, JSON.stringify(body));
}
