// Finds helm, learns what it can do, and runs it apart from the user's own helm: private homes, no plugins, no HELM_ variables.
import { join } from 'node:path';
import { failure, type IsthmusError, usageError } from '../base/errors.ts';
import type { ReleaseDeps } from './types.ts';

export type HelmFlags = ReadonlySet<string>;

export interface Helm {
  /** The program, as it is run and shown. */
  readonly program: string;
  /** `3.22`, `4.3.1`: builds from source leave the patch out. */
  readonly version: string;
  readonly major: number;
  /** Flags of `helm upgrade`; what is possible is asked, not guessed from the version. */
  readonly flags: HelmFlags;
  /** Runs one command and returns its standard output; IsthmusError with helm's reason when it fails. */
  run(args: readonly string[], options?: { readonly input?: string; readonly where?: string }): Promise<string>;
  /** `run`, with what went to standard error as well: Helm 3 tells there what it did in a registry. */
  runBoth(args: readonly string[], options?: { readonly input?: string; readonly where?: string }): Promise<string>;
  /** Removes the private homes. */
  close(): Promise<void>;
}

export interface HelmOptions {
  /** Leave helm its configuration, in which it keeps the credentials of registries, and what credential helpers read. */
  readonly withCredentials?: boolean;
}

const oldest = { major: 3, minor: 14 } as const;
const versionText = /^v?(\d+)\.(\d+)(?:\.(\d+))?/;

/** What helm's errors mean. Helm ends with 1 whatever happened, so only its text tells. First match wins. */
const explanations: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [/another operation .* in progress/, 'A helm command is running, or died: run again with --unlock when you know that none is running.'],
  [/Apply failed with \d+ conflict|conflict.* with "/, 'Someone else manages this field; --force-conflicts takes it over.'],
  [/invalid ownership metadata/, 'The object exists and belongs to something else; remove it or choose another name.'],
  [/values don't meet the specifications/, 'An edited values.yaml is not valid; compare it with the chart README.'],
  [/cluster unreachable|no such host|connection refused|i\/o timeout/i, 'The API server cannot be reached; run again when it can.'],
  [/forbidden/i, 'The user of this context lacks the permission.'],
  [
    /Request entity too large|Too long: must have at most/,
    'The release is too large for one Secret; fewer routes or fewer Jobs are needed.',
  ],
  [/context deadline exceeded|timed out/, 'It took too long; run again, it goes on where it stopped.'],
  [/unknown flag/, 'This helm lacks a flag; install Helm 4 or Helm 3.22.'],
];

/**
 * Finds helm by ISTHMUS_HELM or on PATH.
 * @throws IsthmusError (usage) when there is none, or it is older than 3.14
 */
export async function findHelm(deps: Pick<ReleaseDeps, 'exec' | 'env' | 'uuid' | 'files'>, options: HelmOptions = {}): Promise<Helm> {
  const program = deps.env['ISTHMUS_HELM'] || 'helm';
  const home = join(deps.env['TMPDIR'] || '/tmp', `isthmus-helm-${deps.uuid()}`);
  const env = { ...helmEnvironment(home), ...(options.withCredentials === true ? credentials(deps.env) : configHome(home)) };
  const { code, stdout, stderr } = await deps.exec(program, ['version', '--template', '{{.Version}}'], { env });
  const match = versionText.exec(stdout.trim());
  if (code !== 0 || match === null) throw notHelm(program, stderr);
  const [major, minor] = [Number(match[1]), Number(match[2])];
  if (major < oldest.major || (major === oldest.major && minor < oldest.minor)) throw tooOld(program, match[0]);
  const help = await deps.exec(program, ['upgrade', '--help'], { env });
  const run = async (args: readonly string[], { input, where }: { readonly input?: string; readonly where?: string } = {}) => {
    const result = await deps.exec(program, args, input === undefined ? { env } : { env, input });
    if (result.code !== 0) throw helmError(result.stderr, args, where);
    return result;
  };
  return {
    program,
    version: match[0].replace(/^v/, ''),
    major,
    flags: new Set(help.stdout.match(/--[a-z][a-z-]+/g)),
    run: async (args, options) => (await run(args, options)).stdout,
    runBoth: async (args, options) => {
      const { stdout, stderr } = await run(args, options);
      return `${stdout}${stderr}`;
    },
    close: () => deps.files.remove(home),
  };
}

function helmEnvironment(home: string): Readonly<Record<string, string>> {
  return {
    HELM_CACHE_HOME: join(home, 'cache'),
    HELM_DATA_HOME: join(home, 'data'),
    HELM_NO_PLUGINS: '1',
    NO_COLOR: '1',
    TZ: 'UTC',
  };
}

function configHome(home: string): Readonly<Record<string, string>> {
  return { HELM_CONFIG_HOME: join(home, 'config') };
}

/** Where helm and the credential helpers of a registry keep theirs, when it is not the usual place. */
const credentialVariables =
  /^(?:HELM_CONFIG_HOME|HELM_REGISTRY_CONFIG|DOCKER_CONFIG|GNUPGHOME|PASSWORD_STORE_DIR|DBUS_SESSION_BUS_ADDRESS)$/;

function credentials(env: ReleaseDeps['env']): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value !== undefined && credentialVariables.test(name) ? [[name, value] as const] : [])),
  );
}

function notHelm(program: string, stderr: string): IsthmusError {
  const said = stderr.trim().split('\n')[0] ?? '';
  return usageError(`${program} is not Helm 3.14 or later${said === '' ? '' : `: ${said}`}`, {
    hint: 'Install Helm 4, or name one in ISTHMUS_HELM.',
  });
}

function tooOld(program: string, version: string): IsthmusError {
  return usageError(`${program} is Helm ${version}; 3.14 or later is needed`, { hint: 'Install Helm 4, or name one in ISTHMUS_HELM.' });
}

/** Helm 4 logs the cause before it prints it as `Error:`, so the last such line is taken; the whole text stays as the cause. */
function helmError(stderr: string, args: readonly string[], where: string | undefined): IsthmusError {
  const lines = stderr.trim().split('\n');
  const start = lines.findLastIndex((line) => line.startsWith('Error:'));
  const message = (start < 0 ? lines : lines.slice(start))
    .join('\n')
    .replace(/^Error:\s*/, '')
    .slice(0, 2000);
  const hint = explanations.find(([pattern]) => pattern.test(stderr))?.[1];
  return failure(`helm ${args[0]} failed: ${message || 'it gave no reason'}`, {
    cause: stderr,
    ...(where === undefined ? {} : { where }),
    ...(hint === undefined ? {} : { hint }),
  });
}
