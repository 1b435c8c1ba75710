// A small client of one API server for tests: raw JSON, one connection pool, nothing shared with the code under test.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import type { KubeObject } from '../../src/base/objects.ts';

export interface ApiResponse {
  readonly status: number;
  readonly body: unknown;
}

export interface ApiClient {
  request(method: string, path: string, body?: unknown, contentType?: string): Promise<ApiResponse>;
  /** GET; undefined for 404. */
  get(path: string): Promise<unknown>;
  list(path: string): Promise<KubeObject[]>;
  create(collection: string, object: KubeObject): Promise<KubeObject>;
  mergePatch(path: string, patch: unknown): Promise<void>;
  delete(path: string): Promise<void>;
  /** Status of a GET by someone who has this token and nothing else. */
  statusWith(token: string, path: string): Promise<number>;
  close(): void;
}

const timeoutMs = 60_000;

/**
 * Connects as the client whose key pair is `<user>.key` and `<user>.crt` in the folder.
 * @param socket Unix socket that leads to the API server, when it is in a network of its own
 */
export function createClient(server: string, { pki, user, socket }: { pki: string; user: string; socket?: string }): ApiClient {
  const way = { ...(socket === undefined ? {} : { socketPath: socket, servername: 'localhost' }), ca: readFileSync(join(pki, 'ca.crt')) };
  const agent = new Agent({
    ...way,
    keepAlive: true,
    maxSockets: 16,
    cert: readFileSync(join(pki, `${user}.crt`)),
    key: readFileSync(join(pki, `${user}.key`)),
  });
  const send = (method: string, path: string, body?: unknown, contentType = 'application/json') =>
    exchange(agent, { url: `${server}${path}`, method, contentType, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const expect = async (method: string, path: string, body?: unknown, contentType?: string) => {
    const response = await send(method, path, body, contentType);
    if (response.status < 300) return response.body;
    throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(response.body).slice(0, 500)}`);
  };
  return {
    request: send,
    get: async (path) => ((await send('GET', path)).status === 404 ? undefined : expect('GET', path)),
    list: async (path) => ((await expect('GET', path)) as { items: KubeObject[] }).items,
    create: async (collection, object) => (await expect('POST', collection, object)) as KubeObject,
    mergePatch: async (path, patch) => void (await expect('PATCH', path, patch, 'application/merge-patch+json')),
    delete: async (path) => {
      if ((await send('DELETE', path, { propagationPolicy: 'Background' })).status === 404) return;
    },
    statusWith: async (token, path) =>
      (await exchange(new Agent(way), { url: `${server}${path}`, method: 'GET', contentType: 'application/json', token })).status,
    close: () => agent.destroy(),
  };
}

interface Exchange {
  readonly url: string;
  readonly method: string;
  readonly contentType: string;
  readonly body?: string;
  readonly token?: string;
}

function exchange(agent: Agent, { url, method, contentType, body, token }: Exchange): Promise<ApiResponse> {
  return new Promise((resolve, reject) => {
    // Node leaves the length of what goes with a DELETE to be guessed.
    const length = { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body ?? '') };
    const headers = {
      Accept: acceptOf(url),
      ...(body === undefined ? {} : length),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    };
    const sent = request(url, { agent, method, headers, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString()) }));
    });
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${url} took longer than ${timeoutMs} ms`)));
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Discovery of a whole API server in two requests instead of one per group. */
function acceptOf(url: string): string {
  const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  return /\/apis?$/.test(url) ? `${aggregated},application/json` : 'application/json';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
