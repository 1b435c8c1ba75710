// Signatures of bundle.yaml by SSH keys: everyone has ssh-keygen, it works offline, and bundle.yaml covers every other file.
import { join } from 'node:path';
import { archiveError } from '../archive/errors.ts';
import { failure, type IsthmusError } from '../base/errors.ts';
import type { ExecResult, System } from '../system/types.ts';
import { bundleFiles } from './layout.ts';

export type SignatureDeps = Pick<System, 'exec' | 'files' | 'env' | 'uuid'>;

/** What a signature is for, so that one made for something else is not taken for one of a bundle. */
const namespace = 'isthmus-bundle';

/** What ssh-keygen said of a signature. */
export interface Signer {
  /** `SHA256:...` of the key. */
  readonly key: string;
  /** Who the key belongs to by the list of allowed signers; undefined when no list was given. */
  readonly principal: string | undefined;
}

/**
 * Signs bundle.yaml.
 * @param key path of a private key, or of a public one whose private key is in the SSH agent
 * @returns the signature as text; for the same key of type ed25519 and the same file always the same
 * @throws IsthmusError when ssh-keygen is missing or refuses
 */
export async function signManifest(deps: SignatureDeps, key: string, manifest: string): Promise<string> {
  return inFolder(deps, async (folder) => {
    const file = join(folder, bundleFiles.manifest);
    await deps.files.write(file, manifest);
    const result = await sshKeygen(deps, ['sign', '-f', key, '-n', namespace, file]);
    if (result.code === 0) return deps.files.read(`${file}.sig`);
    throw failure(`ssh-keygen could not sign: ${lastLine(result)}`, {
      where: key,
      hint: 'A key with a passphrase must be in the SSH agent (ssh-add).',
    });
  });
}

/**
 * Checks a signature of bundle.yaml.
 * @param allowed path of a file in the form ALLOWED SIGNERS of ssh-keygen(1); without one, the signature must be right but may be anyone's
 * @throws IsthmusError (findings) when it is not the signature of this file, or of no one who is allowed
 */
export async function checkSignature(
  deps: SignatureDeps,
  { manifest, signature, allowed }: { readonly manifest: string; readonly signature: string; readonly allowed: string | undefined },
): Promise<Signer> {
  return inFolder(deps, async (folder) => {
    const file = join(folder, bundleFiles.signature);
    await deps.files.write(file, signature);
    const checked = await sshKeygen(deps, ['check-novalidate', '-n', namespace, '-s', file], manifest);
    const key = /SHA256:\S+/.exec(checked.stdout)?.[0];
    if (checked.code !== 0 || key === undefined) throw badSignature(`is no signature of ${bundleFiles.manifest}: ${lastLine(checked)}`);
    if (allowed === undefined) return { key, principal: undefined };
    const found = await sshKeygen(deps, ['find-principals', '-s', file, '-f', allowed]);
    const principal = found.stdout.split('\n')[0]?.trim() ?? '';
    if (found.code !== 0 || principal === '') throw badSignature(`was made with ${key}, which is not among the allowed signers`);
    const verified = await sshKeygen(deps, ['verify', '-f', allowed, '-I', principal, '-n', namespace, '-s', file], manifest);
    if (verified.code !== 0) throw badSignature(`was not accepted: ${lastLine(verified)}`);
    return { key, principal };
  });
}

/** An SSH key that signs nothing but bundles cannot be told from others, so a signature that does not hold is always refused. */
function badSignature(message: string): IsthmusError {
  return archiveError(message, bundleFiles.signature);
}

async function sshKeygen({ exec, env }: SignatureDeps, args: readonly string[], input?: string): Promise<ExecResult> {
  const agent = env['SSH_AUTH_SOCK'];
  return exec('ssh-keygen', ['-Y', ...args], {
    ...(input === undefined ? {} : { input }),
    ...(agent === undefined ? {} : { env: { SSH_AUTH_SOCK: agent } }),
  });
}

async function inFolder<T>({ env, files, uuid }: SignatureDeps, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(env['TMPDIR'] || '/tmp', `isthmus-signature-${uuid()}`);
  try {
    return await work(folder);
  } finally {
    await files.remove(folder);
  }
}

function lastLine({ stdout, stderr }: ExecResult): string {
  return (stderr.trim() || stdout.trim()).split('\n').at(-1) ?? '';
}
