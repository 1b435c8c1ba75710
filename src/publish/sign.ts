// Signatures of published charts: helm's provenance files by gpg, signatures in a registry by cosign. Keys stay with these programs.
import { failure, IsthmusError } from '../base/errors.ts';
import { toYaml } from '../base/yaml.ts';
import type { ChartPackage, PublishDeps, PublishedChart, Signer, SignOptions } from './types.ts';

type Runner = Pick<PublishDeps, 'exec' | 'env'>;

const probes: Readonly<Record<Signer, { readonly args: readonly string[]; readonly hint: string }>> = {
  gpg: { args: ['--version'], hint: 'Install GnuPG, or publish without --sign.' },
  cosign: {
    args: ['version'],
    hint: 'Install cosign (https://docs.sigstore.dev), or publish without --sign and sign each digest later: cosign sign registry/path/chart@sha256:...',
  },
};

/** Fails before anything is published when the program that signs is missing. */
export async function requireSigner(signer: Signer, deps: Runner): Promise<void> {
  const { args, hint } = probes[signer];
  try {
    await deps.exec(signer, args, { env: ownEnvironment(deps) });
  } catch (error) {
    if (!(error instanceof IsthmusError)) throw error;
    throw failure(error.message, { hint, cause: error });
  }
}

/**
 * Contents of `<package>.prov`, as `helm package --sign` writes it and `helm verify` reads it: Chart.yaml and the package's digest, signed in clear.
 * @throws IsthmusError with gpg's reason
 */
export async function provenance({ metadata, file, digest }: ChartPackage, { key }: SignOptions, deps: Runner): Promise<string> {
  const input = `${toYaml(metadata)}\n...\n${toYaml({ files: { [file]: `sha256:${digest}` } })}`;
  const args = ['--batch', '--digest-algo', 'SHA512', ...(key === undefined ? [] : ['--local-user', key]), '--clear-sign'];
  const result = await deps.exec('gpg', args, { input, env: ownEnvironment(deps) });
  if (result.code === 0) return result.stdout;
  throw failure(`gpg did not sign: ${lastLine(result.stderr)}`, {
    where: file,
    hint: 'Look at `gpg --list-secret-keys`; --sign-key names the key.',
    cause: result.stderr,
  });
}

/** Lets cosign sign a chart in its registry by digest. Signing again adds another signature and changes nothing. */
export async function cosign(
  { reference, digest }: PublishedChart,
  { key, plainHttp }: { readonly key?: string | undefined; readonly plainHttp: boolean },
  deps: Runner,
): Promise<void> {
  const target = `${reference.slice('oci://'.length)}@${digest}`;
  const args = ['sign', '--yes', ...(key === undefined ? [] : ['--key', key]), ...(plainHttp ? ['--allow-http-registry'] : []), target];
  const result = await deps.exec('cosign', args, { env: ownEnvironment(deps) });
  if (result.code === 0) return;
  throw failure(`cosign did not sign: ${lastLine(result.stderr)}`, {
    where: target,
    hint: `The chart is published; sign it by hand: cosign ${args.join(' ')}`,
    cause: result.stderr,
  });
}

/** Agents, smart cards, key services: what a signer needs is known to its user alone, so it gets all that its user has. */
function ownEnvironment({ env }: Runner): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
