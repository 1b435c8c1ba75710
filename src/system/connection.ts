// How to reach one API server: its address, the credentials of the kubeconfig, and the pool of connections.
import { Agent, type RequestOptions } from 'node:https';
import { failure, IsthmusError } from '../base/errors.ts';
import { codeOf } from './connection-errors.ts';
import type { LoadedContext } from './kubeconfig.ts';
import type { Clock } from './types.ts';

/** Most connections, and so requests at once, to one API server. */
const maxConnections = 8;
export interface ConnectOptions {
  /** Reads the kubeconfig again, with an empty cache of credentials. */
  readonly load: () => Promise<LoadedContext>;
  readonly where: string;
  readonly clock: Clock;
  /** Longest wait for a credential plugin, in milliseconds. */
  readonly credentialMs: number;
}

export interface Connection {
  readonly server: URL;
  readonly options: RequestOptions;
  readonly agent: Agent;
  readonly viaProxy: boolean;
}

/** Reads the kubeconfig and asks its credential plugin; opens nothing yet. */
export async function connect({ load, where, clock, credentialMs }: ConnectOptions): Promise<Connection> {
  const { config, server, proxyUrl } = await load();
  const options: RequestOptions = {};
  const waiting = new AbortController();
  const late = clock.sleep(credentialMs, waiting.signal).then(() => {
    if (!waiting.signal.aborted) throw failure('the credential plugin of the kubeconfig did not answer in time', { where });
  });
  try {
    await Promise.race([config.applyToHTTPSOptions(options), late]);
  } catch (error) {
    throw credentialError(error, where);
  } finally {
    waiting.abort();
  }
  const { agent: proxyAgent, ...tls } = options;
  if (proxyUrl === undefined)
    return { server, options: tls, agent: new Agent({ keepAlive: true, maxSockets: maxConnections }), viaProxy: false };
  if (!(proxyAgent instanceof Object)) throw failure(`its proxy-url ${proxyUrl} cannot be used`, { where });
  const agent = Object.assign(proxyAgent as Agent, { keepAlive: true, maxSockets: maxConnections });
  return { server, options: tls, agent, viaProxy: true };
}

/** The plugin's own words are shown, shortened: they tell how to log in. They never hold the credential, which goes to stdout. */
function credentialError(error: unknown, where: string): Error {
  if (error instanceof IsthmusError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const missing = codeOf(error) === 'ENOENT' ? 'the program it names was not found' : text.trim().slice(0, 500);
  return failure(`the kubeconfig gave no credentials: ${missing}`, { where, hint: 'Log in to the cluster again.' });
}
