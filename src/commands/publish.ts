// isthmus publish: every chart of out/ and the hand-written ones, into an OCI registry or a static chart repository.
import { join, resolve } from 'node:path';
import { exitCodes, usageError } from '../base/errors.ts';
import { isthmusVersion } from '../base/version.ts';
import { packGenerated, packGeneric } from '../publish/packages.ts';
import { publishToRegistry } from '../publish/registry.ts';
import { publishToFolder } from '../publish/repository.ts';
import { cosign, requireSigner } from '../publish/sign.ts';
import type { ChartPackage, PublishedChart, Signer, SignOptions } from '../publish/types.ts';
import { shellQuote } from '../release/helm-args.ts';
import { readGenerated } from '../release/read.ts';
import type { System } from '../system/types.ts';
import { printResult, table } from './output.ts';
import type { ParsedArguments, Run } from './types.ts';

interface Target {
  /** As the user wrote it. */
  readonly to: string;
  readonly registry: boolean;
  readonly url: string | undefined;
  readonly plainHttp: boolean;
  readonly sign: SignOptions | undefined;
}

export const run: Run = async (system, args) => {
  const target = readTarget(args);
  const generated = await readGenerated(system.files, resolve(system.cwd, args.positionals[0] ?? 'out'));
  if (target.sign !== undefined) await requireSigner(target.sign.with, system);
  const packages = [
    ...(await packGenerated(system.files, generated)),
    ...(await packGeneric(system.files, join(system.packageFolder, 'charts'))),
  ].sort((a, b) => (a.file < b.file ? -1 : 1));
  const waiting = generated.releases.filter(({ folder }) => folder === undefined);
  for (const { name, cluster, waitsFor } of waiting)
    system.terminal.err(`${name} in ${cluster} waits for ${waitsFor.join(', ')}: it has no chart yet\n`);
  warnOfEdits(system, packages);
  const charts = await publish(system, target, packages);
  if (target.sign?.with === 'cosign')
    for (const chart of charts) await cosign(chart, { key: target.sign.key, plainHttp: target.plainHttp }, system);
  report(system, args, { target, charts });
  return exitCodes.ok;
};

function readTarget(args: ParsedArguments): Target {
  const to = args.option('to');
  if (to === undefined) throw usageError('publish needs --to', { hint: 'Such as --to oci://registry.corp/mesh, or --to ./repo.' });
  const registry = to.startsWith('oci://');
  const [url, plainHttp] = [args.option('url'), args.switch('plainHttp')];
  if (!registry && /^[a-z][a-z0-9+.-]*:\/\//i.test(to))
    throw usageError(`--to ${to} is neither oci:// nor a folder`, {
      hint: 'A static repository is written into a folder; --url says where it is served.',
    });
  if (registry && url !== undefined) throw usageError('--url is for static repositories; a registry is its own address');
  if (!registry && plainHttp) throw usageError('--plain-http is for registries');
  const sign = readSigning(args, registry);
  return { to, registry, url, plainHttp, sign };
}

function readSigning(args: ParsedArguments, registry: boolean): SignOptions | undefined {
  const key = args.option('signKey');
  const named = args.option('sign');
  if (named === undefined && !args.switch('sign')) {
    if (key !== undefined) throw usageError('--sign-key needs --sign');
    return undefined;
  }
  const signer: Signer = named === 'gpg' || named === 'cosign' ? named : registry ? 'cosign' : 'gpg';
  if (signer === 'cosign' && !registry)
    throw usageError('cosign signs what is in a registry', { hint: 'Use --sign gpg for a static repository.' });
  return { with: signer, ...(key === undefined ? {} : { key }) };
}

function warnOfEdits(system: System, packages: readonly ChartPackage[]): void {
  for (const { metadata, edited } of packages)
    if (edited) system.terminal.err(`${metadata.name} was edited after it was generated: it is published as ${metadata.version}\n`);
}

async function publish(system: System, { to, registry, url, plainHttp, sign }: Target, packages: readonly ChartPackage[]) {
  const provenance = sign?.with === 'gpg' ? { sign } : {};
  if (registry) return publishToRegistry(packages, { url: to, plainHttp, ...provenance }, system);
  return publishToFolder(packages, { folder: resolve(system.cwd, to), ...(url === undefined ? {} : { url }), ...provenance }, system);
}

function report(
  system: System,
  args: ParsedArguments,
  { target, charts }: { readonly target: Target; readonly charts: readonly PublishedChart[] },
): void {
  for (const { name, warning } of charts) if (warning !== undefined) system.terminal.err(`${name}: ${warning}\n`);
  printResult(system.terminal, args, {
    value: {
      apiVersion: 'isthmus/v1',
      kind: 'PublishResult',
      isthmus: isthmusVersion,
      to: target.to,
      charts: charts.map((chart) => ({ ...chart, ...(chart.release === undefined ? {} : { install: installCommand(target, chart) }) })),
    },
    text: () => describe(target, charts),
  });
}

function describe(target: Target, charts: readonly PublishedChart[]): string {
  const rows = charts.map(({ name, version, outcome, digest }) => [outcome, name, version, digest]);
  const example =
    charts.findLast(({ release }) => release !== undefined && /remote/.test(release.name)) ??
    charts.find(({ release }) => release !== undefined);
  const next =
    example === undefined
      ? ''
      : `\nInstall with helm alone, such as:\n  ${installCommand(target, example)}\nhelm show readme of each chart says what comes before and after it.\n`;
  return `${table(rows)}${next}`;
}

/** What the administrator of a cluster types. */
function installCommand({ to, registry, url }: Target, { name, version, reference, release }: PublishedChart): string {
  const place = registry
    ? [reference, '--version', version]
    : url === undefined
      ? [join(to, decodeURIComponent(reference))]
      : [name, '--repo', url, '--version', version];
  return shellQuote(['helm', 'upgrade', '--install', release?.name ?? name, ...place, '--namespace', release?.namespace ?? 'default']);
}
