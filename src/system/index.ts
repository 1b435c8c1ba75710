// The real system: this process, its files, its terminal and the clusters it can reach.
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { failure, usageError } from '../base/errors.ts';
import { createClock } from './clock.ts';
import { createFiles } from './files.ts';
import { createPrivateFiles } from './private-files.ts';
import { createTerminal } from './terminal.ts';
import type { ExecOptions, System } from './types.ts';

/**
 * Makes the System of this process.
 * What runs programs and what talks to clusters is loaded when it is first used, so that other commands start fast.
 * @param signal aborted when the work shall stop
 */
export function createSystem(signal: AbortSignal = new AbortController().signal): System {
  // Every request under way listens to it, and Node warns from the eleventh on.
  setMaxListeners(0, signal);
  const files = createFiles();
  const clock = createClock();
  const env = process.env;
  return {
    files,
    privateFiles: createPrivateFiles(),
    clock,
    env,
    signal,
    exec: async (program: string, args: readonly string[], options?: ExecOptions) => {
      const { createExec } = await import('./exec.ts');
      return createExec(env, signal)(program, args, options);
    },
    connect: async (access, ownSignal = signal) => {
      const { connectCluster } = await import('./kubernetes.ts');
      return connectCluster(access, { files, env, clock, signal: ownSignal });
    },
    terminal: createTerminal({ stdout: process.stdout, stderr: process.stderr, env }),
    cwd: process.cwd(),
    packageFolder: findPackageFolder(import.meta.dirname),
    uuid: () => randomUUID(),
    readInput: (maxBytes) => readInput(process.stdin, maxBytes),
  };
}

/** The same file runs from src/system and bundled from dist or dist/chunks; charts/ lies in the folder of package.json. */
function findPackageFolder(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'charts'))) return folder;
    if (folder === dirname(folder)) throw failure('the charts of isthmus are missing; install it again');
  }
}

async function readInput(stream: AsyncIterable<Buffer | string>, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    total += bytes.length;
    if (total > maxBytes) throw usageError(`is larger than ${maxBytes} bytes`, { where: 'standard input' });
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}
