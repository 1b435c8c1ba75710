// A TLS server on loopback that answers like an API server, or like anything else that may sit at its address.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface CertificateOptions {
  /** subjectAltName, `IP:127.0.0.1`. */
  readonly names?: string;
  readonly notBefore?: string;
  readonly notAfter?: string;
}

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority in a temporary folder; `remove` deletes it. */
export interface Authority {
  readonly folder: string;
  readonly cert: string;
  issue(name: string, options?: CertificateOptions): Certificate;
  remove(): void;
}

export function createAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-tls-'));
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const keyArgs = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'] as const;
  openssl('req', '-x509', ...keyArgs, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=test authority', '-days', '30');
  writeFileSync(join(folder, 'index.txt'), '');
  writeFileSync(join(folder, 'ca.cnf'), caConfig);
  return {
    folder,
    cert: readFileSync(join(folder, 'ca.crt'), 'utf8'),
    issue: (name, { names = 'IP:127.0.0.1', notBefore = '20200101000000Z', notAfter = '20991231235959Z' } = {}) => {
      openssl('req', '-new', ...keyArgs, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
      writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${names}\n`);
      openssl(
        ...['ca', '-batch', '-config', 'ca.cnf', '-in', `${name}.csr`, '-out', `${name}.crt`, '-notext', '-create_serial', '-rand_serial'],
        ...['-startdate', notBefore, '-enddate', notAfter, '-extfile', `${name}.ext`],
      );
      return { cert: readFileSync(join(folder, `${name}.crt`), 'utf8'), key: readFileSync(join(folder, `${name}.key`), 'utf8') };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const caConfig = `[ca]
default_ca = own
[own]
database = index.txt
serial = serial
new_certs_dir = .
certificate = ca.crt
private_key = ca.key
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
`;

export type Handler = (request: IncomingMessage & { readonly body: string }, response: ServerResponse) => void;

export interface ApiServer {
  readonly url: string;
  readonly port: number;
  /** Connections opened so far. */
  readonly connections: () => number;
  /** `GET /api/v1/nodes?limit=500`, in order. */
  readonly requests: readonly string[];
  handle: Handler;
  stop(): Promise<void>;
}

/** Starts the server; `handle` may be replaced at any time. */
export async function startApiServer(certificate: Certificate): Promise<ApiServer> {
  const requests: string[] = [];
  let connections = 0;
  const api = { handle: ((_, response) => sendJson(response, {})) as Handler };
  const server: Server = createServer(certificate, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => api.handle(Object.assign(request, { body: Buffer.concat(chunks).toString() }), response));
  });
  server.on('secureConnection', () => connections++);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(api, {
    url: `https://127.0.0.1:${port}`,
    port,
    connections: () => connections,
    requests,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

/** A Status object, as API servers send it with an error. */
export function sendStatus(response: ServerResponse, code: number, details: { reason: string; message?: string }): void {
  sendJson(response, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, ...details }, code);
}
