// The parts of a control plane: etcd, API server, controllers and scheduler, on loopback or on a node.
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { formatAddress, parseCidr, truncate } from '../../src/base/cidr.ts';
import { type ToolName, toolPath } from '../helpers/tools.ts';
import { type LabProcess, startProcess } from './process.ts';
import { waitFor } from './wait.ts';

/** Where one cluster's control plane runs. */
export interface Site {
  /** Name of the cluster. */
  readonly name: string;
  readonly folder: string;
  /** Lives on after this program ends, until `down`. */
  readonly keep: boolean;
  /** Folder of keys and certificates, as createPki leaves it. */
  readonly pki: string;
  /** URL of the API server. */
  readonly server: string;
  readonly ports: { readonly etcdPort: number; readonly peerPort: number; readonly apiPort: number };
  readonly serviceCIDR: string;
  /** Words before a command that make it run on a node; absent for the host itself. */
  readonly inside?: readonly string[];
}

export function startEtcd(site: Site): LabProcess {
  const { etcdPort, peerPort } = site.ports;
  return startComponent(site, 'etcd', [
    `--data-dir=${site.folder}/etcd`,
    '--unsafe-no-fsync=true',
    `--listen-client-urls=http://127.0.0.1:${etcdPort}`,
    `--advertise-client-urls=http://127.0.0.1:${etcdPort}`,
    `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
    '--quota-backend-bytes=4294967296',
    '--log-level=error',
  ]);
}

/** @param extra flags that depend on where it runs, such as the addresses it listens on and publishes */
export function startApiServer(site: Site, extra: readonly string[]): LabProcess {
  return startComponent(site, 'kube-apiserver', [
    `--etcd-servers=http://127.0.0.1:${site.ports.etcdPort}`,
    `--secure-port=${site.ports.apiPort}`,
    `--service-cluster-ip-range=${site.serviceCIDR}`,
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
    ...extra,
  ]);
}

export function startControllers(site: Site): LabProcess {
  return startComponent(site, 'kube-controller-manager', [
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

export function startScheduler(site: Site): LabProcess {
  return startComponent(site, 'kube-scheduler', [
    `--kubeconfig=${configOf(site, 'kube-scheduler')}`,
    '--leader-elect=false',
    '--secure-port=0',
  ]);
}

/** Kubernetes components, which are one program that is told by its name which of them to be; other names are tools. */
type Component = 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kubelet' | 'kube-proxy';

type Place = Pick<Site, 'folder' | 'keep' | 'inside'>;

/** Starts a tool or a component of Kubernetes. */
export function startComponent(place: Place, name: Component | (ToolName & string), args: readonly string[]): LabProcess {
  const { folder, keep, inside } = place;
  return startProcess({
    folder,
    name,
    keep,
    command: [isComponent(name) ? componentPath(folder, name) : toolPath(name), ...args],
    env: { KUBE_FEATURE_WatchListClient: 'false' },
    ...(inside === undefined ? {} : { inside }),
  });
}

function isComponent(name: string): name is Component {
  return name.startsWith('kube-') || name === 'kubelet';
}

function componentPath(folder: string, name: Component): string {
  const link = join(folder, name);
  if (!existsSync(link)) symlinkSync(toolPath('kube'), link);
  return link;
}

/** The kubeconfig of one of the cluster's clients. */
export function configOf(site: Pick<Site, 'folder'>, user: string): string {
  return join(site.folder, `${user}.kubeconfig`);
}

/** An address of the service CIDR by its number: 1 is the API server's, 10 is DNS by custom. */
export function serviceAddress(cidr: string, number: number): string {
  const block = parseCidr(cidr);
  if (typeof block === 'string') throw new Error(`${cidr} ${block}`);
  return formatAddress({ ...truncate(block, block.prefix), start: block.start + BigInt(number) });
}

/** Waits, but not for something that has died; the error ends with what its log said last. */
export async function ready(processes: readonly LabProcess[], what: string, probe: () => Promise<unknown>): Promise<void> {
  await waitFor(
    what,
    async () => processes.some((started) => !started.isAlive()) || (await probe().catch(() => undefined)) || undefined,
    120_000,
  );
  const dead = processes.find((started) => !started.isAlive());
  if (dead !== undefined) throw new Error(`${dead.name} ended while waiting for ${what}:\n${dead.lastLines(5)}`);
}
