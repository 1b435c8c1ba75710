// isthmus bundle: one archive of everything that was generated, for clusters that nothing reaches.
import { dirname, join, resolve } from 'node:path';
import { exitCodes, failure, usageError } from '../base/errors.ts';
import { copyImages } from '../bundle/copy-images.ts';
import { bundleDocuments } from '../bundle/documents.ts';
import type { ImageUses } from '../bundle/images.ts';
import { renderManifests } from '../bundle/manifests.ts';
import { bundleEntries, type PreparedBundle, prepareBundle } from '../bundle/pack.ts';
import { isBundle } from '../bundle/read.ts';
import { writeBundle } from '../bundle/write.ts';
import { istioImage } from '../plan/image.ts';
import { imageText } from '../plan/values/common.ts';
import { findHelm } from '../release/helm.ts';
import { changedFiles, readGenerated } from '../release/read.ts';
import type { GeneratedMesh } from '../release/types.ts';
import type { System } from '../system/types.ts';
import { describeBundle, summarizeBundle } from './bundle-text.ts';
import { readTemplates } from './generate.ts';
import { printResult } from './output.ts';
import { readSource } from './source.ts';
import type { ParsedArguments, Run } from './types.ts';

/** The start of 1980: some readers of archives know no earlier time. Seconds since 1970. */
const defaultTime = 315_532_800;
/** What a header of ustar can hold. */
const latestTime = 8 ** 11 - 1;

export const run: Run = async (system, args) => {
  const generated = await readGenerated(system.files, resolve(system.cwd, args.positionals[0] ?? 'out'));
  const shown = args.option('out') ?? `${generated.index.mesh}.isthmus.tgz`;
  const path = resolve(system.cwd, shown);
  await refuseForeign(system, path, shown);
  await warnOfEdits(system, generated);
  const prepared = await prepare(system, generated);
  const bundle = await write(system, args, { path, prepared });
  const bytes = await system.files.size(path);
  printResult(system.terminal, args, {
    value: summarizeBundle(bundle, { file: path, bytes }),
    text: () => `${describeBundle(bundle, { file: shown, bytes })}\nNext: isthmus bundle verify ${shown}, and carry it in\n`,
  });
  return exitCodes.ok;
};

async function refuseForeign(system: System, path: string, shown: string): Promise<void> {
  if (!(await system.files.exists(path)) || (await isBundle(system.files, path))) return;
  throw failure('is there and is no bundle; it was left as it is', { where: shown, hint: 'Name another file with --out.' });
}

async function warnOfEdits(system: System, { folder }: GeneratedMesh): Promise<void> {
  for (const { path, change } of await changedFiles(system.files, folder))
    if (change === 'edited') system.terminal.err(`${path} was edited since it was generated, and goes in as it is\n`);
}

async function prepare(system: System, generated: GeneratedMesh): Promise<PreparedBundle> {
  const { loaded, inputs } = await readSource(system, generated);
  const kubernetes = new Map(
    inputs.flatMap(({ name, found, declared }) => {
      const version = (found?.kubernetes ?? declared?.kubernetes)?.value;
      return version === undefined ? [] : [[name, version] as const];
    }),
  );
  const helm = await findHelm(system);
  try {
    const manifests = await renderManifests({ generated, helm, kubernetes });
    return await prepareBundle(system.files, {
      generated,
      manifests,
      kubernetes,
      injected: injectedImages(generated, loaded.mesh.istio),
      mtime: readTime(system.env['SOURCE_DATE_EPOCH']),
    });
  } finally {
    await helm.close();
  }
}

/** Images of sidecars and gateways: of the proxy, and for Istio 0.8 of what sets up its traffic. */
function injectedImages({ index }: GeneratedMesh, istio: Parameters<typeof istioImage>[0]): ImageUses {
  const classic = index.releases.some(({ chart }) => chart === 'istio-remote-classic');
  const names = classic ? ['proxyv2', 'proxy_init'] : ['proxyv2'];
  const gateways = index.releases.filter(({ chart }) => chart === 'eastwest-gateway').map(({ cluster, name }) => `${cluster}/${name}`);
  const consumers = [...index.clusters.map(({ name }) => `${name}/sidecars`), ...gateways];
  return new Map(names.map((name) => [imageText(istioImage(istio, name)), consumers]));
}

function readTime(text: string | undefined): number {
  if (text === undefined || text === '') return defaultTime;
  const seconds = Number(text);
  if (/^[0-9]+$/.test(text) && seconds <= latestTime) return seconds;
  throw usageError(`SOURCE_DATE_EPOCH is ${JSON.stringify(text)}, not seconds since 1970`);
}

async function write(
  system: System,
  args: ParsedArguments,
  { path, prepared }: { readonly path: string; readonly prepared: PreparedBundle },
) {
  const folder = join(system.env['TMPDIR'] || dirname(path), `.isthmus-images-${system.uuid()}`);
  const onProgress = (text: string) => system.terminal.err(`${text}\n`);
  try {
    const oci = args.option('images') === 'oci';
    const copied = oci
      ? await copyImages(system, { images: prepared.images, folder, onProgress })
      : { images: prepared.images, entries: [] };
    const documents = bundleDocuments(prepared, { images: copied.images, oci, templates: await readTemplates(system, undefined) });
    const entries = await bundleEntries(prepared, { documents, images: copied.images, oci: copied.entries });
    const key = args.option('sign');
    const signWith = key === undefined ? {} : { signWith: resolve(system.cwd, key) };
    return await writeBundle(system, { path, entries, mtime: prepared.input.mtime, ...signWith });
  } finally {
    await system.files.remove(folder);
  }
}
