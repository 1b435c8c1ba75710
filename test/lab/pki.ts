// Certificates of one cluster: its authority, the API server's, and one per client. Made by openssl; Node cannot sign any.
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];

/** Clients of the API server by file name, and the subject that its RBAC knows them by. */
const clients = {
  admin: '/O=system:masters/CN=admin',
  'kube-controller-manager': '/CN=system:kube-controller-manager',
  'kube-scheduler': '/CN=system:kube-scheduler',
  kwok: '/O=system:masters/CN=kwok',
} as const;

export interface PkiOptions {
  readonly cluster: string;
  /** IP addresses that the API server is called by. */
  readonly addresses: readonly string[];
  /** More clients than every cluster has: subjects by file name. */
  readonly clients?: Readonly<Record<string, string>>;
}

/** Writes ca, apiserver, service-account and client keys and certificates (`.key`, `.crt`, PEM) into `folder`. */
export async function createPki(folder: string, { cluster, addresses, clients: more = {} }: PkiOptions): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await makeAuthority(folder, 'ca', cluster);
  const names = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'localhost'].map((name) => `DNS:${name}`);
  const server = [...names, ...addresses.map((address) => `IP:${address}`)].join(',');
  await Promise.all([
    makeCertificate(folder, 'apiserver', ['-subj', '/CN=kube-apiserver', '-addext', `subjectAltName=${server}`]),
    ...Object.entries({ ...clients, ...more }).map(([name, subject]) => makeClient(folder, name, subject)),
  ]);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(join(folder, 'service-account.key'), privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
}

/** Makes the key and certificate of one more client. */
export async function makeClient(folder: string, name: string, subject: string): Promise<void> {
  await makeCertificate(folder, name, ['-subj', subject]);
}

/** Makes a self-signed authority `<name>.crt` with its key. */
export async function makeAuthority(folder: string, name: string, commonName: string): Promise<void> {
  await openssl(folder, [...newKey, '-keyout', `${name}.key`, '-out', `${name}.crt`, '-subj', `/CN=${commonName}`]);
}

/** A kubeconfig with one cluster, one user and one context, all named `context`. */
export function kubeconfig(folder: string, client: string, { context, server }: { context: string; server: string }): string {
  const data = (file: string) => readFileSync(join(folder, file)).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': context,
    clusters: [{ name: context, cluster: { server, 'certificate-authority-data': data('ca.crt') } }],
    users: [{ name: context, user: { 'client-certificate-data': data(`${client}.crt`), 'client-key-data': data(`${client}.key`) } }],
    contexts: [{ name: context, context: { cluster: context, user: context } }],
  };
  return JSON.stringify(config, null, 2);
}

async function makeCertificate(folder: string, name: string, args: readonly string[]): Promise<void> {
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-addext', 'basicConstraints=critical,CA:FALSE'];
  await openssl(folder, [...signed, ...newKey, '-keyout', `${name}.key`, '-out', `${name}.crt`, ...args]);
}

async function openssl(folder: string, args: readonly string[]): Promise<void> {
  await run('openssl', ['req', '-x509', ...args], { cwd: folder });
}
