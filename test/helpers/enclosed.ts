// A network from which nothing leads out but a few ports of this machine's loopback: socket files pass through where no packet does.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolPath } from './tools.ts';

export interface Enclosed {
  /** Words before a command that make it run inside. */
  readonly before: readonly string[];
  stop(): Promise<void>;
}

/** Makes the network; `ports` of 127.0.0.1 are reached from inside under the same address. */
export async function startEnclosed(ports: readonly number[]): Promise<Enclosed> {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-enclosed-'));
  const servers = await Promise.all(ports.map((port) => listen(join(folder, `${port}.sock`), port)));
  const inside = join(import.meta.dirname, 'enclosed-inside.ts');
  const command = [process.execPath, '--import', 'tsx', inside, toolPath('ip'), folder, ...ports.map(String)];
  const child = spawn('unshare', ['--user', '--map-root-user', '--net', ...command], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [ready] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => [])]);
  if (ready === undefined) throw new Error('no network of its own could be made; user namespaces must be allowed, or the test run as root');
  return {
    before: ['/usr/bin/nsenter', `--target=${child.pid}`, '--user', '--net', '--preserve-credentials'],
    stop: async () => {
      const gone = once(child, 'exit');
      child.stdin.end();
      await gone;
      for (const server of servers) server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function listen(path: string, port: number): Promise<Server> {
  const server = createServer((client) => pass(client, connect(port, '127.0.0.1')));
  server.listen(path);
  await once(server, 'listening');
  return server;
}

function pass(client: Socket, target: Socket): void {
  client.on('error', () => target.destroy());
  target.on('error', () => client.destroy());
  client.pipe(target).pipe(client);
}
