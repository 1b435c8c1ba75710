// A System without the outside world: files in a Map, recorded commands, clusters in memory, a clock that jumps ahead.
import { failure } from '../../src/base/errors.ts';
import type { ClusterAccess, ExecOptions, ExecResult, System } from '../../src/system/types.ts';
import { createFakeClock } from './clock.ts';
import type { FakeCluster } from './cluster.ts';

/** One command as it was run. */
export interface RecordedCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly options: ExecOptions;
}

export interface FakeSystemOptions {
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Clusters by the context of their kubeconfig. */
  readonly clusters?: Readonly<Record<string, FakeCluster>>;
  /** Answers a command; undefined means that the test does not expect it. */
  readonly exec?: (command: RecordedCommand) => ExecResult | undefined | Promise<ExecResult | undefined>;
  readonly now?: string;
  readonly input?: string;
  readonly signal?: AbortSignal;
}

export interface FakeSystem extends System {
  /** Files as they are now, by absolute path. */
  readonly written: Map<string, string>;
  readonly commands: RecordedCommand[];
  readonly connected: ClusterAccess[];
  /** What went to stdout and to stderr so far. */
  output(): { readonly out: string; readonly err: string };
}

/** Makes a System for tests; what the test did not provide for (a command, a cluster) is an error. */
export function fakeSystem(options: FakeSystemOptions = {}): FakeSystem {
  const written = new Map(Object.entries(options.files ?? {}));
  const commands: RecordedCommand[] = [];
  const connected: ClusterAccess[] = [];
  const output = { out: '', err: '' };
  let uuids = 0;
  return {
    written,
    commands,
    connected,
    output: () => ({ ...output }),
    files: fakeFiles(written),
    privateFiles: {
      create: async (folder, contents) => {
        if ([...written.keys()].some((file) => file.startsWith(`${folder}/`)))
          throw failure('there is something already', { where: folder });
        for (const [path, text] of Object.entries(contents)) written.set(`${folder}/${path}`, text);
      },
    },
    exec: async (program, args, execOptions = {}) => {
      const command = { program, args, options: execOptions };
      commands.push(command);
      const result = await options.exec?.(command);
      if (result === undefined) throw new Error(`unexpected command: ${program} ${args.join(' ')}`);
      return result;
    },
    connect: async (access) => {
      connected.push(access);
      const cluster = options.clusters?.[access.context];
      if (cluster === undefined) throw failure(`has no context "${access.context}"`, { where: access.cluster });
      return cluster.client(access.cluster);
    },
    terminal: {
      out: (text) => {
        output.out += text;
      },
      err: (text) => {
        output.err += text;
      },
      interactive: false,
      colour: false,
      columns: 80,
    },
    clock: createFakeClock(options.now ?? '2026-01-01T00:00:00Z'),
    env: options.env ?? {},
    cwd: '/home/me',
    packageFolder: '/package',
    uuid: () => `00000000-0000-4000-8000-${String(++uuids).padStart(12, '0')}`,
    readInput: async () => options.input ?? '',
    signal: options.signal ?? new AbortController().signal,
  };
}

function fakeFiles(written: Map<string, string>): System['files'] {
  const read = (path: string): string => {
    const text = written.get(path);
    if (text === undefined) throw failure('does not exist', { where: path });
    return text;
  };
  return {
    read: async (path) => read(path),
    readBytes: async (path) => Buffer.from(read(path)),
    size: async (path) => Buffer.byteLength(read(path)),
    readStream: async function* (path) {
      yield Buffer.from(read(path));
    },
    writeStream: async (path, bytes) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of bytes) chunks.push(chunk);
      written.set(path, Buffer.concat(chunks).toString());
    },
    exists: async (path) => written.has(path) || [...written.keys()].some((file) => file.startsWith(`${path}/`)),
    list: async (folder) =>
      [...written.keys()]
        .filter((file) => file.startsWith(`${folder}/`))
        .map((file) => file.slice(folder.length + 1))
        .sort(),
    write: async (path, contents) => void written.set(path, Buffer.from(contents).toString()),
    remove: async (path) => {
      for (const file of [...written.keys()]) if (file === path || file.startsWith(`${path}/`)) written.delete(file);
    },
  };
}
