// isthmus bundle install: installs a mesh from a bundle alone, through helm.
import { join, resolve } from 'node:path';
import { exitCodes, usageError } from '../base/errors.ts';
import { mirroredImage } from '../bundle/images.ts';
import { foreignInjectors } from '../bundle/injectors.ts';
import { readBundle } from '../bundle/read.ts';
import { checkRegistry } from '../bundle/relocate.ts';
import type { Bundle } from '../bundle/types.ts';
import { unpackGenerated } from '../bundle/unpack.ts';
import { install } from '../release/install.ts';
import { readGenerated } from '../release/read.ts';
import type { GeneratedMesh, ReleaseResult } from '../release/types.ts';
import type { System } from '../system/types.ts';
import { readSigner } from './bundle-verify.ts';
import { parseDuration } from './duration.ts';
import { printResult } from './output.ts';
import { showProgress } from './progress.ts';
import { describeResults, failedResults } from './results.ts';
import type { ParsedArguments, Run } from './types.ts';

export const run: Run = async (system, args) => {
  const shown = args.positionals[0] ?? '';
  const registry = args.option('registry');
  if (registry !== undefined) checkRegistry(registry);
  const [allowed, kubeconfig, ca] = ['allowedSigners', 'kubeconfig', 'ca'].map((name) => resolved(system, args.option(name)));
  const bundle = await readBundle(system.files, resolve(system.cwd, shown));
  await readSigner(system, bundle, { shown, allowed });
  if (ca !== undefined && bundle.index.clusters.every(({ signer }) => signer === undefined))
    throw usageError(`--ca ${ca}: the mesh of this bundle names no root of trust`, { hint: 'It was made without istio.ca in mesh.yaml.' });
  const files = await unpackGenerated(bundle, {
    registry,
    pullSecrets: args.options('pullSecret'),
    contexts: parseContexts(args.options('context')),
    kubeconfig,
    ca,
  });
  const folder = join(system.env['TMPDIR'] || '/tmp', `isthmus-bundle-${system.uuid()}`);
  try {
    await system.privateFiles.create(folder, files);
    const generated = await readGenerated(system.files, folder);
    const results = await installGenerated(system, args, generated);
    if (registry !== undefined) system.terminal.err(describeInjected(bundle, registry));
    printResult(system.terminal, args, {
      value: { apiVersion: 'isthmus/v1', kind: 'InstallResult', results },
      text: () => describeResults(generated, results, 'installed'),
    });
    return failedResults(results).length > 0 ? exitCodes.failed : exitCodes.ok;
  } finally {
    await system.files.remove(folder);
  }
};

function resolved({ cwd }: System, path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(cwd, path);
}

function parseContexts(texts: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    texts.map((text) => {
      const [, cluster = '', context = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
      if (cluster === '') throw usageError(`--context ${text}: write CLUSTER=CONTEXT`);
      return [cluster, context] as const;
    }),
  );
}

async function installGenerated(system: System, args: ParsedArguments, generated: GeneratedMesh): Promise<readonly ReleaseResult[]> {
  const progress = showProgress(system.terminal);
  const options = {
    timeoutMs: parseDuration(args.option('timeout') ?? '10m', '--timeout'),
    unlock: args.switch('unlock'),
    forceConflicts: args.switch('forceConflicts'),
    signers: args.option('ca') === undefined ? ('expect' as const) : ('make' as const),
    onProgress: progress.listener,
  };
  return install(generated, system, options).finally(progress.stop);
}

/** Sidecars get their image from the injector of the primary. Where that is no part of the bundle, whoever runs it must point it at the mirror. */
function describeInjected({ images, rewrite, index }: Bundle, registry: string): string {
  const injected = images.images.filter(({ sources }) => sources.includes('injected'));
  const [first] = injected;
  const primaries = foreignInjectors(index);
  if (first === undefined || primaries.length === 0) return '';
  const mirrored = mirroredImage(first.image, rewrite, registry);
  return `Sidecars have the image that the control plane in ${primaries.join(' and ')} puts into pods: set its global.hub to ${mirrored.slice(0, mirrored.lastIndexOf('/'))}\n`;
}
