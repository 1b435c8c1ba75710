// The control plane of a cluster of real nodes: on the first node's machine, reachable at that node's address.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabNode } from '../calico.ts';
import type { ApiClient } from '../client.ts';
import {
  configOf,
  ready,
  type Site,
  serviceAddress,
  startApiServer,
  startControllers,
  startEtcd,
  startScheduler,
} from '../control-plane.ts';
import { createPki, kubeconfig } from '../pki.ts';
import type { LabProcess } from '../process.ts';
import { startDns } from './dns.ts';
import type { Machine } from './machine.ts';
import type { ClusterShape } from './shape.ts';

const ports = { etcdPort: 2379, peerPort: 2380, apiPort: 6443 };

/** Makes folder, certificates and kubeconfigs of a cluster. */
export async function makeSite(folder: string, keep: boolean, { name, serviceCIDR, nodes }: ClusterShape): Promise<Site> {
  const address = nodes[0]?.address ?? '';
  const pki = join(folder, 'pki');
  const site = { name, folder, keep, pki, server: `https://${address}:${ports.apiPort}`, ports, serviceCIDR };
  mkdirSync(folder, { recursive: true });
  await createPki(pki, {
    cluster: name,
    addresses: ['127.0.0.1', address, serviceAddress(serviceCIDR, 1)],
    clients: { 'kube-proxy': '/CN=system:kube-proxy' },
  });
  for (const user of ['admin', 'kube-controller-manager', 'kube-scheduler'])
    writeFileSync(configOf(site, user), kubeconfig(pki, user, { context: name, server: site.server }), { mode: 0o600 });
  return site;
}

/**
 * Starts every part of the control plane on a machine, and returns the API server when all of them work.
 * @param client reaches the API server from where this program runs
 */
export async function startControlPlane(
  site: Site,
  machine: Machine,
  { client, node }: { client: ApiClient; node: LabNode },
): Promise<LabProcess> {
  const here = { ...site, inside: machine.inside };
  const apiServer = startApiServer(here, apiServerFlags(site, node));
  const processes = [startEtcd(here), apiServer];
  await ready(processes, `the API server of ${site.name}`, async () => (await client.request('GET', '/readyz')).status === 200);
  processes.push(startControllers(here), startScheduler(here), startDns(here, node.address));
  await ready(processes, `the controllers of ${site.name}`, () => client.get('/api/v1/namespaces/default/serviceaccounts/default'));
  return apiServer;
}

/** A socket by which programs outside the lab's network reach the API server; it runs where no fault of a node ends it. */
export function startForwarder(gateway: Machine, site: Site, node: LabNode): string {
  const socket = join(site.folder, 'api.sock');
  gateway.start(`api-${site.name}`, 'socat', `UNIX-LISTEN:${socket},fork,unlink-early`, `TCP:${node.address}:${ports.apiPort}`);
  return socket;
}

function apiServerFlags(site: Site, { address }: LabNode): string[] {
  return [
    '--bind-address=0.0.0.0',
    `--advertise-address=${address}`,
    // Without DNS for the names of nodes, logs are fetched by address.
    '--kubelet-preferred-address-types=InternalIP',
    `--kubelet-client-certificate=${site.pki}/admin.crt`,
    `--kubelet-client-key=${site.pki}/admin.key`,
    '--enable-admission-plugins=NodeRestriction',
  ];
}
