// Runs inside an enclosed network: brings its loopback up and hands each connection to a socket file, through which the test passes it on.
// Usage: node --import tsx enclosed-inside.ts IP_PROGRAM FOLDER PORT...
import { execFileSync } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

const [ip = 'ip', folder = '', ...ports] = process.argv.slice(2);
execFileSync(ip, ['link', 'set', 'lo', 'up']);
const listening = ports.map(
  (port) =>
    new Promise<void>((resolve) => {
      const server = createServer((client) => {
        const outside = connect(join(folder, `${port}.sock`));
        client.on('error', () => outside.destroy());
        outside.on('error', () => client.destroy());
        client.pipe(outside).pipe(client);
      });
      server.listen(Number(port), '127.0.0.1', resolve);
    }),
);
await Promise.all(listening);
process.stdout.write('ready\n');
// The test holds the other end: when it is gone, nothing here may live on.
process.stdin.resume().on('end', () => process.exit());
