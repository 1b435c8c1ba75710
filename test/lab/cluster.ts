// One Kubernetes cluster on loopback: etcd, API server and, unless told otherwise, controllers, scheduler and kwok's nodes.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatAddress, parseCidr, truncate } from '../../src/base/cidr.ts';
import { toolPath } from '../helpers/tools.ts';
import { type ApiClient, createClient } from './client.ts';
import { createPki, kubeconfig } from './pki.ts';
import { freePorts } from './ports.ts';
import { endProcesses, type Identity, isAlive, type LabProcess, ownIdentity, startProcess } from './process.ts';
import { waitFor } from './wait.ts';

export interface ClusterOptions {
  /** Name of the cluster and of its kubeconfig context. */
  readonly name: string;
  readonly serviceCIDR?: string;
  /** False for an API server alone: objects are stored and nothing acts on them. */
  readonly controllers?: boolean;
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

/** Folder that holds one folder per running cluster. */
export function labFolder(): string {
  return process.env['ISTHMUS_LAB'] ?? join(tmpdir(), `isthmus-lab-${process.getuid?.() ?? 0}`);
}

/** Starts a cluster and returns when its API server is ready (and the controllers work, if there are any). */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { name, serviceCIDR = '10.100.0.0/16', controllers = true, keep = false } = options;
  const folder = makeFolder(name, keep);
  try {
    const [etcdPort = 0, peerPort = 0, apiPort = 0] = await freePorts(3);
    const site = { name, folder, keep, pki: join(folder, 'pki'), server: `https://127.0.0.1:${apiPort}` };
    await createPki(site.pki, name, firstAddress(serviceCIDR));
    for (const user of ['admin', 'kube-controller-manager', 'kube-scheduler', 'kwok'] as const)
      writeFileSync(configOf(site, user), kubeconfig(site.pki, user, { context: name, server: site.server }), { mode: 0o600 });
    const client = createClient(site.server, site.pki, 'admin');
    const processes = [startEtcd(site, etcdPort, peerPort), startApiServer(site, { apiPort, etcdPort, serviceCIDR })];
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
        await removeCluster(folder);
      },
    };
  } catch (error) {
    await removeCluster(folder);
    throw error;
  }
}

/** Waits, but not for something that has died; the error ends with what its log said last. */
async function ready(processes: readonly LabProcess[], what: string, probe: () => Promise<unknown>): Promise<void> {
  await waitFor(what, async () => processes.some((started) => !started.isAlive()) || (await probe().catch(() => undefined)) || undefined);
  const dead = processes.find((started) => !started.isAlive());
  if (dead !== undefined) throw new Error(`${dead.name} ended while waiting for ${what}:\n${dead.lastLines(5)}`);
}

/** Removes kept clusters, and those whose owner has died; other programs' clusters stay. Returns their folders. */
export async function removeClusters(parent = labFolder()): Promise<string[]> {
  const folders = listFolders(parent).filter((folder) => !hasOwner(folder));
  await Promise.all(folders.map(removeCluster));
  return folders;
}

async function removeCluster(folder: string): Promise<void> {
  await endProcesses(folder);
  rmSync(folder, { recursive: true, force: true });
}

interface Site {
  readonly name: string;
  readonly folder: string;
  readonly keep: boolean;
  readonly pki: string;
  readonly server: string;
}

function makeFolder(name: string, keep: boolean): string {
  mkdirSync(labFolder(), { recursive: true, mode: 0o700 });
  const folder = keep ? join(labFolder(), name) : mkdtempSync(join(labFolder(), `${name}-`));
  if (keep && existsSync(folder)) throw new Error(`${name} is up already; take it down first`);
  if (keep) mkdirSync(folder);
  else writeFileSync(join(folder, 'owner.json'), JSON.stringify(ownIdentity()));
  return folder;
}

function hasOwner(folder: string): boolean {
  try {
    return isAlive(JSON.parse(readFileSync(join(folder, 'owner.json'), 'utf8')) as Identity);
  } catch {
    return false;
  }
}

function listFolders(parent: string): string[] {
  try {
    return readdirSync(parent).map((name) => join(parent, name));
  } catch {
    return [];
  }
}

function configOf(site: Site, user: string): string {
  return join(site.folder, `${user}.kubeconfig`);
}

function firstAddress(cidr: string): string {
  const block = parseCidr(cidr);
  if (typeof block === 'string') throw new Error(`${cidr} ${block}`);
  return formatAddress({ ...truncate(block, block.prefix), start: block.start + 1n });
}

/** Runs a tool, or a Kubernetes component: one program that is told by its name which of them to be. */
function start(site: Site, name: string, args: readonly string[]): LabProcess {
  const command = [name === 'etcd' || name === 'kwok' ? toolPath(name) : component(site, name), ...args];
  return startProcess({ folder: site.folder, name, command, keep: site.keep, env: { KUBE_FEATURE_WatchListClient: 'false' } });
}

function component(site: Site, name: string): string {
  const link = join(site.folder, name);
  symlinkSync(toolPath('kube'), link);
  return link;
}

function startEtcd(site: Site, clientPort: number, peerPort: number): LabProcess {
  return start(site, 'etcd', [
    `--data-dir=${site.folder}/etcd`,
    '--unsafe-no-fsync=true',
    `--listen-client-urls=http://127.0.0.1:${clientPort}`,
    `--advertise-client-urls=http://127.0.0.1:${clientPort}`,
    `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
    '--quota-backend-bytes=4294967296',
    '--log-level=error',
  ]);
}

interface ApiServerOptions {
  readonly apiPort: number;
  readonly etcdPort: number;
  readonly serviceCIDR: string;
}

function startApiServer(site: Site, { apiPort, etcdPort, serviceCIDR }: ApiServerOptions): LabProcess {
  return start(site, 'kube-apiserver', [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    // Nobody else reaches a loopback address, so it is not published as an endpoint.
    '--endpoint-reconciler-type=none',
    `--secure-port=${apiPort}`,
    `--service-cluster-ip-range=${serviceCIDR}`,
    `--tls-cert-file=${site.pki}/apiserver.crt`,
    `--tls-private-key-file=${site.pki}/apiserver.key`,
    `--client-ca-file=${site.pki}/ca.crt`,
    `--service-account-key-file=${site.pki}/service-account.key`,
    `--service-account-signing-key-file=${site.pki}/service-account.key`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--authorization-mode=Node,RBAC',
    '--allow-privileged=true',
    '--profiling=false',
    // Debian's etcd 3.4 cannot serve streamed lists; without the gate clients fall back at once instead of retrying.
    '--feature-gates=WatchList=false',
  ]);
}

function startControllers(site: Site): LabProcess {
  return start(site, 'kube-controller-manager', [
    `--kubeconfig=${configOf(site, 'kube-controller-manager')}`,
    `--root-ca-file=${site.pki}/ca.crt`,
    `--service-account-private-key-file=${site.pki}/service-account.key`,
    '--use-service-account-credentials=true',
    '--allocate-node-cidrs=false',
    '--leader-elect=false',
    '--secure-port=0',
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
  ]);
}

function startScheduler(site: Site): LabProcess {
  return start(site, 'kube-scheduler', [`--kubeconfig=${configOf(site, 'kube-scheduler')}`, '--leader-elect=false', '--secure-port=0']);
}

function startKwok(site: Site): LabProcess {
  const stages = join(import.meta.dirname, 'kwok.yaml');
  return start(site, 'kwok', [
    `--kubeconfig=${configOf(site, 'kwok')}`,
    '--manage-all-nodes=true',
    // Without leases that are renewed nodes count as lost after 50 seconds.
    '--node-lease-duration-seconds=40',
    `--config=${stages}`,
  ]);
}
