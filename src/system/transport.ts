// One HTTPS connection pool per cluster: raw requests with time limits, bounded retries and gzip.
import { setMaxListeners } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { isthmusVersion } from '../base/version.ts';
import { certificateOf } from './certificate.ts';
import { type Connection, connect } from './connection.ts';
import { connectionError, isDateProblem, passingCodes } from './connection-errors.ts';
import type { LoadedContext } from './kubeconfig.ts';
import type { Clock } from './types.ts';

/** Time limits and retries, in milliseconds; tests make them short. */
export interface Limits {
  readonly connectMs: number;
  /** Longest silence while an answer is awaited or read. */
  readonly readMs: number;
  /** Longest time for one answer, however steadily it drips. */
  readonly totalMs: number;
  readonly credentialMs: number;
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
}

export const defaultLimits: Limits = {
  connectMs: 10_000,
  readMs: 30_000,
  totalMs: 180_000,
  credentialMs: 60_000,
  attempts: 5,
  firstDelayMs: 500,
  maxDelayMs: 30_000,
};

/** Largest answer that is kept, in bytes; a page of 500 objects stays far below. */
const maxAnswer = 512 * 1024 * 1024;

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path with query, such as `/api/v1/nodes?limit=500`. */
  readonly path: string;
  readonly accept: string;
  readonly body?: string;
  readonly contentType?: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  readonly retryAfter: string | undefined;
}

export interface TransportOptions {
  /** Reads the kubeconfig again, with an empty cache of credentials. */
  readonly load: () => Promise<LoadedContext>;
  readonly where: string;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly signal: AbortSignal;
}

export interface Transport {
  /** Sends one request; 401 is tried once more with fresh credentials. Any answer is returned, no answer is an IsthmusError. */
  send(request: ApiRequest): Promise<ApiAnswer>;
  /** PEM of the client certificate in use, to tell an expired one. */
  clientCertificate(): Promise<string | Buffer | undefined>;
  close(): void;
}

const inflate = promisify(gunzip);

/** Opens a pool of connections to the API server of one context; nothing is sent before the first request. */
export function createTransport(options: TransportOptions): Transport {
  // Every waiting request listens to it; Node would take more than ten for a leak.
  setMaxListeners(0, options.signal);
  let connection: Promise<Connection> | undefined;
  let reached = false;
  const current = () => {
    connection ??= connect({ ...options, credentialMs: options.limits.credentialMs });
    return connection;
  };
  const refresh = async (used: Connection) => {
    if ((await connection) === used) connection = undefined;
    used.agent.destroy();
  };
  const attempt = async (message: ApiRequest) => {
    const used = await current();
    const answer = await exchange(used, message, options);
    reached = true;
    if (answer.status !== 401) return answer;
    await refresh(used);
    return exchange(await current(), message, options);
  };
  return {
    send: (message) => withRetries(() => attempt(message), { ...options, message, reached: () => reached }),
    clientCertificate: async () => (await current()).options.cert as string | Buffer | undefined,
    close: () => void connection?.then(({ agent }) => agent.destroy()).catch(() => undefined),
  };
}

interface RetryOptions extends TransportOptions {
  readonly message: ApiRequest;
  readonly reached: () => boolean;
}

async function withRetries(attempt: () => Promise<ApiAnswer>, options: RetryOptions): Promise<ApiAnswer> {
  const { limits, message, clock, signal } = options;
  for (let count = 1; ; count++) {
    const last = count >= limits.attempts || signal.aborted;
    const result = await attempt().catch((error: unknown) => {
      if (last || !mayPass(error, options)) throw error;
      return undefined;
    });
    if (result !== undefined && (last || !isWorthRetrying(result, message))) return result;
    await clock.sleep(delayOf(result, count, limits), signal);
  }
}

/** A request that changes something twice when sent twice is repeated only when the server says that it did not take it. */
function isWorthRetrying({ status, retryAfter }: ApiAnswer, { method }: ApiRequest): boolean {
  if (status === 429) return true;
  if (method !== 'GET' && method !== 'PATCH') return false;
  return status === 500 ? retryAfter !== undefined || method === 'GET' : status > 500;
}

function mayPass(error: unknown, { message, reached }: RetryOptions): boolean {
  if (message.method !== 'GET' && message.method !== 'PATCH') return false;
  const code = codeOfCause(error);
  return passingCodes.has(code) || (code === 'ECONNREFUSED' && reached());
}

function codeOfCause(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
}

function delayOf(answer: ApiAnswer | undefined, count: number, limits: Limits): number {
  const asked = Number(answer?.retryAfter);
  if (answer?.retryAfter !== undefined && Number.isFinite(asked)) return Math.min(Math.max(asked, 0) * 1000, limits.maxDelayMs);
  const full = Math.min(limits.firstDelayMs * 2 ** (count - 1), limits.maxDelayMs);
  return full / 2 + (Math.random() * full) / 2;
}

async function exchange(connection: Connection, message: ApiRequest, options: TransportOptions): Promise<ApiAnswer> {
  const { server, agent } = connection;
  const base = server.pathname === '/' ? '' : server.pathname.replace(/\/$/, '');
  const call: RequestOptions = {
    ...connection.options,
    agent,
    method: message.method,
    host: hostOf(server),
    port: portOf(server),
    path: `${base}${message.path}`,
    headers: { ...connection.options.headers, ...headersOf(message) },
    signal: options.signal,
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(call);
    const fail = (error: Error) => void explain(error, connection, options).then(reject);
    const stop = limitTime(outgoing, options.limits);
    outgoing.on('error', fail);
    outgoing.on('close', stop);
    outgoing.on('response', (incoming) => void readAnswer(incoming).then(resolve, fail));
    outgoing.end(message.body);
  });
}

async function explain(error: Error, { server, options, viaProxy }: Connection, { where, limits }: TransportOptions): Promise<Error> {
  if (viaProxy || !isDateProblem(error)) return connectionError(error, where);
  const servername = options.servername;
  const address = { host: hostOf(server), port: portOf(server), servername };
  return connectionError(error, where, await certificateOf(address, limits.connectMs));
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function portOf({ port }: URL): number {
  return port === '' ? 443 : Number(port);
}

function headersOf({ accept, body, contentType }: ApiRequest): Record<string, string | number> {
  const common = { accept, 'accept-encoding': 'gzip', 'user-agent': `isthmus/${isthmusVersion}` };
  if (body === undefined) return common;
  return { ...common, 'content-type': contentType ?? 'application/json', 'content-length': Buffer.byteLength(body) };
}

/** Waiting for a free connection does not count, so the time starts with the socket. Returns what ends the watch. */
function limitTime(outgoing: ClientRequest, limits: Limits): () => void {
  const late = (what: string) => outgoing.destroy(Object.assign(new Error(what), { code: 'ETIMEDOUT' }));
  let connecting: NodeJS.Timeout | undefined;
  let total: NodeJS.Timeout | undefined;
  outgoing.setTimeout(limits.readMs, () => late('no answer'));
  outgoing.once('socket', (socket: Socket) => {
    total = setTimeout(late, limits.totalMs, 'no complete answer');
    if (!socket.connecting) return;
    connecting = setTimeout(late, limits.connectMs, 'no connection');
    socket.once('secureConnect', () => clearTimeout(connecting));
  });
  return () => {
    clearTimeout(connecting);
    clearTimeout(total);
  };
}

async function readAnswer(incoming: IncomingMessage): Promise<ApiAnswer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    total += chunk.length;
    if (total > maxAnswer) throw new Error(`the answer is larger than ${maxAnswer / 1024 / 1024} MiB`);
    chunks.push(chunk);
  }
  const raw = Buffer.concat(chunks);
  const body = incoming.headers['content-encoding'] === 'gzip' ? await inflate(raw, { maxOutputLength: maxAnswer }) : raw;
  return {
    status: incoming.statusCode ?? 0,
    contentType: incoming.headers['content-type'] ?? '',
    text: body.toString('utf8'),
    retryAfter: incoming.headers['retry-after'],
  };
}
