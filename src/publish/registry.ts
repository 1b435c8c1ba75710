// Publishes packages to an OCI registry through helm, whose credentials nobody else sees, and reads back what is there.
import { join } from 'node:path';
import { failure, IsthmusError, usageError } from '../base/errors.ts';
import { findHelm, type Helm } from '../release/helm.ts';
import { manifestDigest } from './manifest.ts';
import { provenance } from './sign.ts';
import type { ChartPackage, PublishDeps, PublishedChart, SignOptions } from './types.ts';

/** A chart as the registry holds it. */
interface Pulled {
  readonly bytes: Uint8Array;
  /** Digest of its manifest. */
  readonly digest: string;
  /** Its provenance file, where that was asked for and is there. */
  readonly provenance: string | undefined;
}

interface Registry {
  readonly helm: Helm;
  readonly deps: PublishDeps;
  /** `oci://registry.corp/mesh`, without a slash at the end. */
  readonly url: string;
  /** Arguments of every call. */
  readonly flags: readonly string[];
  /** Folder for packages on their way. */
  readonly work: string;
  readonly sign: SignOptions | undefined;
}

export interface RegistryOptions {
  /** `oci://registry.corp/mesh` */
  readonly url: string;
  /** Talk HTTP without TLS. */
  readonly plainHttp: boolean;
  /** Push helm's provenance file with each package. */
  readonly sign?: SignOptions;
}

/** Charts that are asked for or pushed at a time: registries limit how many requests one client may make. */
const concurrency = 4;

const registryUrl = /^oci:\/\/[A-Za-z0-9.-]+(?::\d+)?(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

/** What registries say, by way of helm. First match wins. */
const explanations: readonly (readonly [pattern: RegExp, hint: (host: string) => string])[] = [
  [/HTTP response to HTTPS client/, () => 'It talks HTTP; --plain-http is for registries of tests.'],
  [/x509|certificate/i, () => 'Add the certificate authority to those that the system trusts.'],
  [/credential/i, (host) => `A credential helper failed; log in again: helm registry login ${host}`],
  [
    /\b40[13]\b|unauthorized|denied|forbidden|authentication/i,
    (host) => `Log in as one who may pull and push: helm registry login ${host}`,
  ],
  [
    /no such host|connection refused|i\/o timeout|EOF/i,
    () => 'The registry cannot be reached; run again, what is published already is left as it is.',
  ],
];

/**
 * Pushes packages that the registry does not have. Nothing is pushed when one of them is there with other contents.
 * @returns one result per package, in their order
 * @throws IsthmusError (usage) for an address that is none; (findings) when a version exists with other contents, or comes back with other contents;
 * (failed) with helm's reason otherwise
 */
export async function publishToRegistry(
  packages: readonly ChartPackage[],
  { url, plainHttp, sign }: RegistryOptions,
  deps: PublishDeps,
): Promise<readonly PublishedChart[]> {
  const base = url.replace(/\/$/, '');
  if (!registryUrl.test(base))
    throw usageError('--to is no registry and path', {
      hint: 'Such as oci://registry.corp/mesh: lower case, without user, tag or digest.',
    });
  const helm = await findHelm(deps, { withCredentials: true });
  const work = join(deps.env['TMPDIR'] || '/tmp', `isthmus-publish-${deps.uuid()}`);
  const registry = { helm, deps, url: base, flags: plainHttp ? ['--plain-http'] : [], work, sign };
  try {
    const there = await inPool(packages, (each) => existing(registry, each));
    return await inPool(packages, async (each, index) => there[index] ?? (await push(registry, each)));
  } finally {
    await deps.files.remove(work);
    await helm.close();
  }
}

/** The result for a package that is published already; undefined for one that is not. */
async function existing(registry: Registry, chart: ChartPackage): Promise<PublishedChart | undefined> {
  const pulled = await pull(registry, chart);
  if (pulled === undefined) return undefined;
  if (isSame(pulled, chart))
    return resultOf(registry, chart, { outcome: 'unchanged', digest: pulled.digest, ...unsigned(registry, pulled) });
  throw new IsthmusError('findings', `is published with other contents (${pulled.digest}), and a version is never replaced`, {
    where: `${referenceOf(registry, chart)} ${chart.metadata.version}`,
    hint: 'Publish to another path, or publish the charts of another version.',
  });
}

async function push(registry: Registry, chart: ChartPackage): Promise<PublishedChart> {
  const { deps, helm, url, flags, work, sign } = registry;
  const file = join(work, chart.file);
  await deps.files.write(file, chart.bytes);
  const signed = sign === undefined ? undefined : await provenance(chart, sign, deps);
  if (signed !== undefined) await deps.files.write(`${file}.prov`, signed);
  const said = await runHelm(registry, helm.runBoth(['push', file, url, ...flags], { where: referenceOf(registry, chart) }));
  const digest = digestIn(said);
  const pulled = await pull(registry, chart);
  if (pulled === undefined || pulled.digest !== digest || !isSame(pulled, chart) || pulled.provenance !== signed)
    throw new IsthmusError('findings', `was pushed as ${digest ?? 'an unknown digest'} and reads back as ${pulled?.digest ?? 'nothing'}`, {
      where: `${referenceOf(registry, chart)} ${chart.metadata.version}`,
      hint: 'The registry, or something before it, changes what it stores; do not install from it.',
    });
  const expected = manifestDigest(chart, signed);
  const warning =
    expected === digest
      ? undefined
      : `helm ${helm.version} wrote another manifest than expected (${expected}): other helms may push other digests`;
  return resultOf(registry, chart, { outcome: 'published', digest, ...(warning === undefined ? {} : { warning }) });
}

/** The chart of that name and version; undefined when the registry has none. */
async function pull(registry: Registry, { metadata, file }: ChartPackage): Promise<Pulled | undefined> {
  const { deps, helm, flags, work, sign } = registry;
  const folder = join(work, deps.uuid());
  const reference = referenceOf(registry, { metadata });
  // helm wants the folder to be there.
  await deps.files.write(join(folder, '.keep'), '');
  const args = [
    'pull',
    reference,
    '--version',
    metadata.version,
    '--destination',
    folder,
    ...(sign === undefined ? [] : ['--prov']),
    ...flags,
  ];
  const said = await runHelm(registry, helm.runBoth(args, { where: reference })).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (said === undefined) return undefined;
  const digest = digestIn(said);
  if (digest === undefined) throw failure('helm did not tell the digest of what it pulled', { where: reference });
  const paths = await deps.files.list(folder);
  const [packed, prov] = ['.tgz', '.prov'].map((ending) => paths.find((path) => path.endsWith(ending)));
  if (packed === undefined) throw failure(`helm pulled no ${file}`, { where: reference });
  const signed = prov === undefined ? undefined : await deps.files.read(join(folder, prov));
  return { bytes: await deps.files.readBytes(join(folder, packed)), digest, provenance: signed };
}

function unsigned({ sign }: Registry, { provenance: signed }: Pulled): Pick<PublishedChart, 'warning'> {
  return sign === undefined || signed !== undefined
    ? {}
    : { warning: 'was published before without a provenance file, and a version is never replaced' };
}

/** What helm said, with a hint of what a registry means by it. */
async function runHelm({ url }: Registry, said: Promise<string>): Promise<string> {
  try {
    return await said;
  } catch (error) {
    if (!(error instanceof IsthmusError) || typeof error.cause !== 'string' || isMissing(error)) throw error;
    const { message, where, cause } = error;
    const hint = explanations.find(([pattern]) => pattern.test(message))?.[1](url.slice('oci://'.length).split('/')[0] ?? '');
    throw failure(message, { cause, ...(where === undefined ? {} : { where }), ...(hint === undefined ? {} : { hint }) });
  }
}

/** A registry that denies may hide what is there, so only a clear answer counts. */
function isMissing(error: unknown): boolean {
  return (
    error instanceof IsthmusError &&
    /: not found$|\b(?:manifest|name)[ _]unknown\b/im.test(error.message) &&
    !/credential/.test(error.message)
  );
}

function digestIn(said: string): string | undefined {
  return /^Digest: (sha256:[0-9a-f]{64})$/m.exec(said)?.[1];
}

function isSame(pulled: Pulled, chart: ChartPackage): boolean {
  return Buffer.compare(pulled.bytes, chart.bytes) === 0;
}

function referenceOf({ url }: Pick<Registry, 'url'>, { metadata }: Pick<ChartPackage, 'metadata'>): string {
  return `${url}/${metadata.name}`;
}

function resultOf(registry: Registry, chart: ChartPackage, result: Pick<PublishedChart, 'outcome' | 'digest' | 'warning'>): PublishedChart {
  const { metadata, release } = chart;
  return {
    name: metadata.name,
    version: metadata.version,
    reference: referenceOf(registry, chart),
    ...result,
    ...(release === undefined ? {} : { release }),
  };
}

/** Maps with few calls under way at a time. After a failure nothing new begins, and it is thrown when all that had begun has ended. */
async function inPool<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const rest = [...items.entries()];
  const worker = async () => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) results[next[0]] = await work(next[1], next[0]);
  };
  const outcomes = await Promise.allSettled(
    Array.from({ length: Math.min(concurrency, items.length) }, () =>
      worker().catch((error: unknown) => {
        rest.length = 0;
        throw error;
      }),
    ),
  );
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return results;
}
