// Free TCP ports on loopback, below those that the kernel gives to clients.
import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

/**
 * A client that keeps asking a stopped server is given a new port each time, and one day the server's own: it then talks to itself,
 * and the server cannot start again. So servers get ports that no client is given (from 32768 on, on Linux).
 */
const range = { first: 20_000, end: 32_000 } as const;
const attempts = 100;

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = new Map<number, Server>();
  for (let attempt = 0; servers.size < count; attempt++) {
    if (attempt === attempts) throw new Error(`no ${count} free ports from ${range.first} to ${range.end}`);
    const port = randomInt(range.first, range.end);
    const server = await listen(port);
    if (server !== undefined) servers.set(port, server);
  }
  await Promise.all([...servers.values()].map((server) => new Promise((resolve) => server.close(resolve))));
  return [...servers.keys()];
}

/** The server, or undefined when the port is taken. */
function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
