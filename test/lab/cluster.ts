// One Kubernetes cluster on loopback: etcd, API server and, unless told otherwise, controllers, scheduler and kwok's nodes.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApiClient, createClient } from './client.ts';
import {
  configOf,
  ready,
  type Site,
  serviceAddress,
  startApiServer,
  startComponent,
  startControllers,
  startEtcd,
  startScheduler,
} from './control-plane.ts';
import { makeFolder, removeFolder } from './folders.ts';
import { createPki, kubeconfig } from './pki.ts';
import { freePorts } from './ports.ts';
import type { LabProcess } from './process.ts';

export interface ClusterOptions {
  /** Name of the cluster and of its kubeconfig context. */
  readonly name: string;
  readonly serviceCIDR?: string;
  /** False for an API server alone: objects are stored and nothing acts on them. */
  readonly controllers?: boolean;
  /** False for an API server that stores webhooks and calls none: where nobody answers them, no injected pod would ever be made. */
  readonly webhooks?: boolean;
  /** Lives on after this program ends, until `down`. */
  readonly keep?: boolean;
}

export interface Cluster {
  readonly name: string;
  readonly folder: string;
  /** URL of the API server, on loopback. */
  readonly server: string;
  /** Path of the administrator's kubeconfig; its context is the cluster's name. */
  readonly kubeconfig: string;
  readonly client: ApiClient;
  /** The running parts, by name: `etcd`, `kube-apiserver`, ... */
  readonly processes: ReadonlyMap<string, LabProcess>;
  /** Ends all its processes and removes its folder. */
  stop(): Promise<void>;
}

/** Starts a cluster and returns when its API server is ready (and the controllers work, if there are any). */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { name, serviceCIDR = '10.100.0.0/16', controllers = true, webhooks = true, keep = false } = options;
  const folder = makeFolder(name, keep);
  try {
    const [etcdPort = 0, peerPort = 0, apiPort = 0] = await freePorts(3);
    const server = `https://127.0.0.1:${apiPort}`;
    const site = { name, folder, server, keep, pki: join(folder, 'pki'), ports: { etcdPort, peerPort, apiPort }, serviceCIDR };
    await createPki(site.pki, { cluster: name, addresses: ['127.0.0.1', serviceAddress(serviceCIDR, 1)] });
    for (const user of ['admin', 'kube-controller-manager', 'kube-scheduler', 'kwok'] as const)
      writeFileSync(configOf(site, user), kubeconfig(site.pki, user, { context: name, server: site.server }), { mode: 0o600 });
    const client = createClient(site.server, { pki: site.pki, user: 'admin' });
    const processes = [startEtcd(site), startApiServer(site, [...loopback, ...(webhooks ? [] : noWebhooks)])];
    await ready(processes, `the API server of ${name}`, async () => (await client.request('GET', '/readyz')).status === 200);
    if (controllers) {
      processes.push(startControllers(site), startScheduler(site), startKwok(site));
      await ready(processes, `the controllers of ${name}`, () => client.get('/api/v1/namespaces/default/serviceaccounts/default'));
    }
    return {
      name,
      folder,
      server: site.server,
      kubeconfig: configOf(site, 'admin'),
      client,
      processes: new Map(processes.map((started) => [started.name, started])),
      stop: async () => {
        client.close();
        await removeFolder(folder);
      },
    };
  } catch (error) {
    await removeFolder(folder);
    throw error;
  }
}

/** Nobody else reaches a loopback address, so it is not published as an endpoint. */
const loopback = ['--bind-address=127.0.0.1', '--advertise-address=127.0.0.1', '--endpoint-reconciler-type=none'];

const noWebhooks = ['--disable-admission-plugins=MutatingAdmissionWebhook,ValidatingAdmissionWebhook'];

function startKwok(site: Site): LabProcess {
  return startComponent(site, 'kwok', [
    `--kubeconfig=${configOf(site, 'kwok')}`,
    '--manage-all-nodes=true',
    // Without leases that are renewed nodes count as lost after 50 seconds.
    '--node-lease-duration-seconds=40',
    `--config=${join(import.meta.dirname, 'kwok.yaml')}`,
  ]);
}
