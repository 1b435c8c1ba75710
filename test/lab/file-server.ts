// A plain web server for the files of one folder, on loopback.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { freePorts } from './ports.ts';

export interface FileServer {
  /** `http://127.0.0.1:23456` */
  readonly url: string;
  stop(): Promise<void>;
}

/** Serves the files right in a folder; there is nothing below it. */
export async function serveFiles(folder: string): Promise<FileServer> {
  const [port = 0] = await freePorts(1);
  const server = createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url ?? '', 'http://localhost').pathname.slice(1));
    try {
      response.end(name.includes('/') ? undefined : readFileSync(join(folder, name)));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
