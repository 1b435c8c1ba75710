// What the tests of Istio do to a joined mesh: steady requests, newcomers in the remote, restarts of istiod, looks at certificates.
import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from '../../src/base/objects.ts';
import { intents } from '../e2e/state.ts';
import { assert } from '../helpers/suite.ts';
import type { ApiClient } from '../lab/client.ts';
import type { RealCluster } from '../lab/nodes/cluster.ts';
import { labImages } from '../lab/nodes/images.ts';
import type { Lab } from '../lab/nodes/lab.ts';
import { putAll } from '../lab/objects.ts';
import { waitFor } from '../lab/wait.ts';
import type { Operator } from './operator.ts';

export const namespace = 'bookinfo';
const gateway = `/api/v1/namespaces/${namespace}/services/bookinfo-gateway:http/proxy/api/v1/products/0/reviews`;
const newcomers = `/apis/apps/v1/namespaces/${namespace}/deployments/newcomer`;

export interface TrafficResult {
  readonly requests: number;
  /** What each failed request said. */
  readonly failures: readonly string[];
  /** Seconds from the start of the traffic to the answer of the last failed request; 0 when none failed. */
  readonly lastFailure: number;
}

export interface Traffic {
  stop(): Promise<TrafficResult>;
}

/** Asks BookInfo for its reviews, about ten times a second, until it is stopped. */
export function startTraffic(client: ApiClient): Traffic {
  const stopping = new AbortController();
  const failures: string[] = [];
  const start = performance.now();
  let lastFailure = 0;
  let requests = 0;
  const loop = async () => {
    while (!stopping.signal.aborted) {
      const { status, body } = await client.request('GET', gateway).catch((error: unknown) => ({ status: 0, body: error }));
      requests++;
      if (status !== 200) {
        failures.push(`${status} ${String(body).slice(0, 200)}`);
        lastFailure = (performance.now() - start) / 1000;
      }
      await sleep(100);
    }
  };
  const done = loop();
  return {
    stop: async () => {
      stopping.abort();
      await done;
      return { requests, failures, lastFailure };
    },
  };
}

/** Asks while the work is done, and no longer, also when it fails. */
export async function duringTraffic(client: ApiClient, work: () => Promise<void>): Promise<TrafficResult> {
  const traffic = startTraffic(client);
  await work().catch(async (error: unknown) => {
    await traffic.stop();
    throw error;
  });
  return traffic.stop();
}

/** Returns the seconds until BookInfo answers again, ten times in a row. */
export async function untilAnswered(client: ApiClient): Promise<number> {
  const start = performance.now();
  let inRow = 0;
  await waitFor(
    'BookInfo to answer',
    async () => {
      inRow = (await client.request('GET', gateway)).status === 200 ? inRow + 1 : 0;
      return inRow === 10;
    },
    120_000,
  );
  return (performance.now() - start) / 1000;
}

/** The node that answers for an address of the load balancer; undefined while none does. */
export async function holderOf({ nodes }: RealCluster, address: string): Promise<string | undefined> {
  for (const [name, { machine }] of nodes) {
    const addresses = await machine.run('ip', '-brief', 'address', 'show', 'dev', 'eth0').catch(() => '');
    if (addresses.includes(` ${address}/32`)) return name;
  }
  return undefined;
}

/** Asks for that many newcomers in the remote: pods with a sidecar, each of which is Ready only with its certificate. */
export async function scaleNewcomers(client: ApiClient, replicas: number): Promise<void> {
  const labels = { app: 'newcomer' };
  const container = { name: 'app', image: labImages.app, imagePullPolicy: 'IfNotPresent' };
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } };
  const spec = { replicas, selector: { matchLabels: labels }, template };
  await putAll(client, [{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'newcomer', namespace }, spec }]);
}

/** Returns the seconds until that many newcomers are Ready. */
export async function newcomersReady(client: ApiClient, replicas: number): Promise<number> {
  const start = performance.now();
  await waitFor(`${replicas} newcomers to be Ready`, async () => (await readNewcomers(client)).readyReplicas === replicas, 120_000);
  return (performance.now() - start) / 1000;
}

/** Why the API server refuses to make newcomers, as soon as it does. */
export async function newcomersRefused(client: ApiClient): Promise<string> {
  return waitFor(
    'newcomers to be refused',
    async () =>
      (await readNewcomers(client)).conditions?.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True')?.message,
    60_000,
  );
}

async function readNewcomers(client: ApiClient): Promise<NewcomerStatus> {
  return ((await client.get(newcomers)) as { status?: NewcomerStatus }).status ?? {};
}

interface NewcomerStatus {
  readonly readyReplicas?: number;
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message: string }[];
}

export interface Pod extends KubeObject {
  readonly spec: {
    readonly nodeName?: string;
    readonly initContainers?: readonly { readonly name: string }[];
    readonly containers: readonly { readonly name: string }[];
  };
  readonly status: {
    readonly podIP?: string;
    readonly phase?: string;
    readonly containerStatuses?: readonly { readonly ready: boolean; readonly restartCount: number }[];
  };
}

/** Pods with this value of the label app that are not being deleted. */
export async function podsOf(client: ApiClient, inNamespace: string, app: string): Promise<Pod[]> {
  const pods = (await client.list(`/api/v1/namespaces/${inNamespace}/pods?labelSelector=app%3D${app}`)) as Pod[];
  return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

/** Deletes istiod's pods as a user would; returns when none of them runs any more. */
export async function deleteIstiod(client: ApiClient): Promise<void> {
  const old = await podsOf(client, 'istio-system', 'istiod');
  assert.ok(old.length > 0, 'istiod has no pod');
  for (const { metadata } of old)
    await client.request('DELETE', `/api/v1/namespaces/istio-system/pods/${metadata.name}`, { gracePeriodSeconds: 1 });
  await waitFor('the old istiod to be gone', async () => {
    const found = await Promise.all(old.map(({ metadata }) => client.get(`/api/v1/namespaces/istio-system/pods/${metadata.name}`)));
    return found.every((pod) => pod === undefined);
  });
}

/** The certificate that a pod's Envoy uses. */
export async function certificateOf(operator: Operator, context: string, pod: string): Promise<X509Certificate> {
  const args = ['--context', context, '--namespace', namespace, 'proxy-config', 'secret', pod, '-o', 'json'];
  const secrets = JSON.parse(await operator.run('istioctl', ...args)) as Secrets;
  const chain = secrets.dynamicActiveSecrets?.find(({ name }) => name === 'default')?.secret.tlsCertificate?.certificateChain.inlineBytes;
  assert.ok(chain, `${pod} has no certificate`);
  return new X509Certificate(Buffer.from(chain ?? '', 'base64'));
}

/** The root certificate that istiod publishes in a cluster. */
export async function rootCertificateOf(client: ApiClient): Promise<X509Certificate> {
  const path = '/api/v1/namespaces/istio-system/configmaps/istio-ca-root-cert';
  const { data } = (await client.get(path)) as { data: Record<string, string> };
  return new X509Certificate(data['root-cert.pem'] ?? '');
}

interface Secrets {
  readonly dynamicActiveSecrets?: readonly {
    readonly name: string;
    readonly secret: { readonly tlsCertificate?: { readonly certificateChain: { readonly inlineBytes: string } } };
  }[];
}

/** What is asked of all clusters, once controllers and istiod have nothing more to add. */
export async function restingIntents(lab: Lab): Promise<ReadonlyMap<string, unknown>> {
  let last = '';
  return waitFor(
    'the clusters to rest',
    async () => {
      const now = await intents(lab);
      const before = last;
      last = JSON.stringify([...now]);
      await sleep(1500);
      return before === last ? now : undefined;
    },
    60_000,
  );
}
