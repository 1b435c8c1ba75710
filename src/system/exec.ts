// Runs programs with an argv array, a small environment and a time limit; never a shell.
import type { Options } from 'execa';
import { failure, type IsthmusError } from '../base/errors.ts';
import type { Exec, ExecOptions, ExecResult } from './types.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const defaultTimeoutMs = 300_000;
/** Largest output that is kept, in bytes; rendered charts of a large mesh stay far below. */
const maxOutput = 128 * 1024 * 1024;

/** What programs may inherit: finding themselves, the network's proxies, and what credential plugins of a kubeconfig read. */
const inherited =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TMPDIR|TEMP|TMP|SYSTEMROOT|USERPROFILE|KUBECONFIG|KUBECACHEDIR|XDG_.*|SSL_CERT_(?:FILE|DIR)|(?:HTTPS?|NO|ALL)_PROXY|(?:https?|no|all)_proxy|(?:AWS|AZURE|AAD|ARM|MSI|IDENTITY|GOOGLE|CLOUDSDK|GCLOUD|USE_GKE|GKE|IBMCLOUD|BLUEMIX|IC|OCI|DIGITALOCEAN|ALIBABA|ALICLOUD|TENCENTCLOUD|OS|HCLOUD|LINODE|SCW|VAULT|TELEPORT|TSH|RANCHER|OIDC)_.*)$/;

/** Makes the real Exec; `env` is the environment of this process. */
export function createExec(env: Environment, signal: AbortSignal): Exec {
  return (program, args, options = {}) => run({ program, args, options }, childEnvironment(env, options.env), signal);
}

/** The environment of a child: what it may inherit, and `extra` over it. */
export function childEnvironment(env: Environment, extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const kept = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && inherited.test(name) ? [[name, value] as const] : [],
  );
  return { ...Object.fromEntries(kept), ...extra };
}

interface Call {
  readonly program: string;
  readonly args: readonly string[];
  readonly options: ExecOptions;
}

async function run(call: Call, env: Record<string, string>, interrupted: AbortSignal): Promise<ExecResult> {
  const { execa } = await import('execa');
  const { program, args, options } = call;
  const settings = {
    env,
    extendEnv: false,
    input: options.input ?? '',
    timeout: options.timeoutMs ?? defaultTimeoutMs,
    cancelSignal: options.signal === undefined ? interrupted : AbortSignal.any([options.signal, interrupted]),
    maxBuffer: maxOutput,
    stripFinalNewline: false,
    reject: false,
  } satisfies Options;
  const result = await execa(program, [...args], settings);
  const problem = problemOf(result, call, settings.timeout);
  if (problem !== undefined) throw problem;
  return { code: result.exitCode ?? 1, stdout: result.stdout, stderr: result.stderr };
}

interface Ending {
  readonly isCanceled: boolean;
  readonly timedOut: boolean;
  readonly isMaxBuffer: boolean;
  readonly code?: string | undefined;
  readonly signal?: string | undefined;
  readonly exitCode?: number | undefined;
}

/** Why there is no exit code. The arguments are left out: only the caller knows which of them may be shown. */
function problemOf(result: Ending, { program }: Call, timeoutMs: number): IsthmusError | undefined {
  if (result.isCanceled) return failure(`${program} was stopped`, { hint: 'Run the command again; it goes on where it stopped.' });
  if (result.timedOut) return failure(`${program} did not finish within ${timeoutMs / 1000} s`);
  if (result.isMaxBuffer) return failure(`${program} wrote more than ${maxOutput / 1024 / 1024} MiB`);
  if (result.code === 'ENOENT') return failure(`${program} was not found`, { hint: `Install ${program} or put it on PATH.` });
  if (result.code === 'EACCES') return failure(`${program} may not be run`, { hint: `Make ${program} executable.` });
  if (result.signal !== undefined) return failure(`${program} was ended by ${result.signal}`);
  if (result.exitCode === undefined)
    return failure(`${program} could not be started${result.code === undefined ? '' : `: ${result.code}`}`);
  return undefined;
}
