// isthmus install: installs what was generated; the only place that looks at the clusters a second time, for addresses of ILBs.
import { resolve } from 'node:path';
import { exitCodes } from '../base/errors.ts';
import { install } from '../release/install.ts';
import { previewInstall } from '../release/preview.ts';
import { readGenerated } from '../release/read.ts';
import type { GeneratedMesh, InstallOptions, ReleaseResult } from '../release/types.ts';
import type { System } from '../system/types.ts';
import { parseDuration } from './duration.ts';
import { generate, refuseBlocked } from './generate.ts';
import { printResult } from './output.ts';
import { planLoaded } from './plan.ts';
import { showProgress } from './progress.ts';
import { describePreview, describeResults, failedResults } from './results.ts';
import { checkCurrent, readAgain, readSource, type Source } from './source.ts';
import type { ParsedArguments, Run } from './types.ts';

export const run: Run = async (system, args) => {
  const out = args.positionals[0] ?? 'out';
  const generated = await readGenerated(system.files, resolve(system.cwd, out));
  const source = await readSource(system, generated);
  await checkCurrent(system, generated, source);
  if (args.switch('dryRun')) return preview(system, args, generated);
  const results = await installWithProgress(system, args, { out, generated, source });
  printResult(system.terminal, args, {
    value: { apiVersion: 'isthmus/v1', kind: 'InstallResult', results },
    text: () => describeResults(generated, results, 'installed'),
  });
  return failedResults(results).length > 0 ? exitCodes.failed : exitCodes.ok;
};

async function preview(system: System, args: ParsedArguments, generated: GeneratedMesh): Promise<number> {
  const { steps, failed } = await previewInstall(generated, system, { forceConflicts: args.switch('forceConflicts') });
  printResult(system.terminal, args, {
    value: { apiVersion: 'isthmus/v1', kind: 'InstallPreview', steps, failed },
    text: () => describePreview(steps, failed),
  });
  return failed.length > 0 ? exitCodes.failed : exitCodes.ok;
}

interface Installation {
  readonly out: string;
  readonly generated: GeneratedMesh;
  readonly source: Source;
}

async function installWithProgress(system: System, args: ParsedArguments, installation: Installation): Promise<readonly ReleaseResult[]> {
  const progress = showProgress(system.terminal);
  const options: InstallOptions = {
    timeoutMs: parseDuration(args.option('timeout') ?? '10m', '--timeout'),
    unlock: args.switch('unlock'),
    forceConflicts: args.switch('forceConflicts'),
    onProgress: progress.listener,
  };
  try {
    return await installInPasses(system, installation, options);
  } finally {
    progress.stop();
  }
}

/** Installs what is ready; when something waited for the address of an ILB, looks again and installs the rest. Two passes at most. */
async function installInPasses(system: System, installation: Installation, options: InstallOptions): Promise<readonly ReleaseResult[]> {
  const first = await install(installation.generated, system, options);
  const waits = installation.generated.releases.some((release) => release.waitsFor.length > 0);
  if (!waits || first.some(({ outcome }) => outcome === 'failed')) return first;
  const filled = await fillAddresses(system, installation);
  const second = await install(filled, system, options);
  return joined(first, second);
}

/** Generates again with the load balancers' addresses as they are now. Only Services are read anew: the rest was looked at when it was generated. */
async function fillAddresses(system: System, { out, generated, source }: Installation): Promise<GeneratedMesh> {
  const primaries = generated.index.clusters.filter(({ role }) => role === 'primary').map(({ name }) => name);
  const fresh = await readAgain(system, generated, source, primaries);
  const inputs = source.inputs.map((input, index) => {
    const services = fresh.inputs[index]?.found?.services;
    return input.found === undefined || services === undefined ? input : { ...input, found: { ...input.found, services } };
  });
  const plan = planLoaded(system, source.loaded, inputs);
  refuseBlocked(system, plan);
  await generate(system, { loaded: source.loaded, inputs, plan }, { out, edited: 'keep' });
  return readGenerated(system.files, generated.folder);
}

/** One result per step: what the second pass did counts, unless it found the step as the first pass had left it. */
function joined(first: readonly ReleaseResult[], second: readonly ReleaseResult[]): ReleaseResult[] {
  const before = new Map(first.map((result) => [`${result.cluster} ${result.step}`, result]));
  return second.map((result) => (result.outcome === 'unchanged' ? (before.get(`${result.cluster} ${result.step}`) ?? result) : result));
}
