// Points the images of a chart at a mirror: through its parsed values, in the fields that are known to hold an image.
import * as z from 'zod';
import { usageError } from '../base/errors.ts';
import { parseYaml, toYaml } from '../base/yaml.ts';
import { parseImage } from '../plan/image.ts';
import { imageText } from '../plan/values/common.ts';
import { chartVersion, digestOf } from '../render/charts.ts';
import type { IndexedRelease } from '../render/types.ts';
import { mirroredHub, mirroredImage } from './images.ts';
import type { ImageRewrite } from './types.ts';

/** What shall differ from what was packed. */
export interface Relocation {
  /** `mirror.corp/istio`: registry and path of the mirror. */
  readonly registry?: string | undefined;
  /** Names of pull secrets for every pod of the charts. */
  readonly pullSecrets: readonly string[];
  readonly rewrite: ImageRewrite;
}

/** Where the values of each chart hold their image; a chart that is not named runs no pods. That of a gateway is injected. */
const imageFields: Partial<Record<IndexedRelease['chart'], readonly string[]>> = {
  'eastwest-gateway': [],
  'route-installer': ['image'],
  'istio-remote-classic': ['citadel', 'image'],
};

const Image = z.looseObject({ registry: z.string(), repository: z.string(), tag: z.string(), digest: z.string().default('') });
const Values = z.record(z.string(), z.unknown());
const mirror = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*\/?$/i;

/** Refuses what is no registry with a path. */
export function checkRegistry(registry: string): void {
  if (mirror.test(registry)) return;
  throw usageError(`--registry ${JSON.stringify(registry)} is no registry`, {
    hint: 'Write host and path, without a scheme: mirror.corp/istio.',
  });
}

/**
 * The files of a chart with its images at the mirror; tags and digests stay. The version of the chart follows from its files, so
 * that helm and isthmus see another release where the images differ.
 * @param files by path within the chart
 * @param plainVersion version of isthmus that the chart's version begins with
 */
export function relocateChart(
  files: ReadonlyMap<string, string>,
  release: Pick<IndexedRelease, 'chart'>,
  { relocation, plainVersion }: { readonly relocation: Relocation; readonly plainVersion: string },
): ReadonlyMap<string, string> {
  const path = imageFields[release.chart];
  const named = path === undefined || path.length > 0;
  const idle = (relocation.registry === undefined || !named) && relocation.pullSecrets.length === 0;
  if (idle || (path === undefined && release.chart !== 'istiod')) return files;
  const values = Values.parse(parseYaml(files.get('values.yaml') ?? '', 'values.yaml').value);
  const moved =
    path === undefined
      ? changeAt(values, ['global'], (global) => relocateIstio(Values.parse(global), relocation))
      : withPullSecrets(
          path.length === 0 ? values : changeAt(values, path, (image) => relocateImage(image, relocation)),
          relocation.pullSecrets,
        );
  return withVersion(new Map(files).set('values.yaml', toYaml(moved)), plainVersion);
}

function relocateImage(value: unknown, { registry, rewrite }: Relocation): unknown {
  const image = Image.parse(value);
  if (registry === undefined) return image;
  const { registry: host, repository } = parseImage(mirroredImage(imageText(image), rewrite, registry));
  return { ...image, registry: host, repository };
}

/** Istio's own chart knows one hub for istiod and for the sidecars that it injects, and hands the pull secrets on to both. */
function relocateIstio(global: Readonly<Record<string, unknown>>, { registry, rewrite, pullSecrets }: Relocation): unknown {
  const secrets = pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets };
  if (registry === undefined) return { ...global, ...secrets };
  return { ...global, hub: mirroredHub(String(global['hub']), rewrite, registry), ...secrets };
}

function withPullSecrets(values: Readonly<Record<string, unknown>>, names: readonly string[]): Readonly<Record<string, unknown>> {
  return names.length === 0 ? values : { ...values, imagePullSecrets: names.map((name) => ({ name })) };
}

function changeAt(
  values: Readonly<Record<string, unknown>>,
  [key = '', ...rest]: readonly string[],
  change: (value: unknown) => unknown,
): Readonly<Record<string, unknown>> {
  const value = rest.length === 0 ? change(values[key]) : changeAt(Values.parse(values[key]), rest, change);
  return { ...values, [key]: value };
}

function withVersion(files: ReadonlyMap<string, string>, plainVersion: string): ReadonlyMap<string, string> {
  const metadata = Values.parse(parseYaml(files.get('Chart.yaml') ?? '', 'Chart.yaml').value);
  const withText = (version: string) => new Map(files).set('Chart.yaml', toYaml({ ...metadata, version }));
  return withText(chartVersion(plainVersion, digestOf(withText(plainVersion))));
}
