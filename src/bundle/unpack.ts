// What install needs of a bundle, in the form of a generated folder: the index of releases and a chart folder for each.
import { join } from 'node:path';
import * as z from 'zod';
import { archiveError } from '../archive/errors.ts';
import { readTgz } from '../archive/tgz.ts';
import { usageError } from '../base/errors.ts';
import { dns1123Label } from '../base/names.ts';
import { parseYaml, toYaml } from '../base/yaml.ts';
import type { ReleaseIndex } from '../render/types.ts';
import { bundleFiles } from './layout.ts';
import { type Relocation, relocateChart } from './relocate.ts';
import type { Bundle } from './types.ts';

export interface UnpackOptions extends Omit<Relocation, 'rewrite'> {
  /** Contexts by cluster, in the place of those of mesh.yaml: the bundle is used on another machine than it was made on. */
  readonly contexts: ReadonlyMap<string, string>;
  /** Absolute path; KUBECONFIG or ~/.kube/config when absent. What a bundle says of kubeconfigs and keys is not followed. */
  readonly kubeconfig?: string | undefined;
  /** Absolute path of the folder with the keys of the root of trust, where it is at hand. */
  readonly ca?: string | undefined;
}

type IndexedRelease = ReleaseIndex['releases'][number];

const Chart = z.object({ version: z.string() });

/** Stands for a folder of keys that nobody has named; nothing is read below it. */
const notAtHand = 'keys-are-not-in-the-bundle';

/**
 * The files, contents by path, that `readGenerated` reads back. Pure but for unpacking.
 * @param bundle checked
 * @throws IsthmusError (findings) when a name in it could be taken for something else by helm; (usage) for a context of no cluster
 */
export async function unpackGenerated(bundle: Bundle, options: UnpackOptions): Promise<Readonly<Record<string, string>>> {
  refuseNames(bundle.index);
  const files: Record<string, string> = {};
  const releases: IndexedRelease[] = [];
  for (const [position, release] of bundle.index.releases.entries()) {
    const chart = relocateChart(await chartOf(bundle, release), release, {
      relocation: { ...options, rewrite: bundle.rewrite },
      plainVersion: bundle.index.isthmus,
    });
    const folder = `charts/${position}`;
    for (const [path, text] of chart) files[`${folder}/${path}`] = text;
    releases.push({ ...release, folder, version: versionOf(chart) });
  }
  files['releases.yaml'] = toYaml({ ...bundle.index, clusters: clustersFor(bundle.index, options), releases });
  return files;
}

/** They become arguments of helm and paths of the API server. */
function refuseNames({ clusters, releases, remoteSecrets, istio, routesNamespace }: ReleaseIndex): void {
  const names = [
    istio.namespace,
    routesNamespace,
    ...clusters.flatMap(({ name, namespaces }) => [name, ...namespaces.map((namespace) => namespace.name)]),
    ...releases.flatMap(({ name, namespace }) => [name, namespace]),
    ...remoteSecrets.flatMap(({ name, namespace, serviceAccount, tokenSecret }) => [name, namespace, serviceAccount, tokenSecret]),
  ];
  const wrong = names.find((name) => !dns1123Label.test(name));
  if (wrong !== undefined) throw archiveError(`holds the name ${JSON.stringify(wrong)}, which is none`, bundleFiles.releases);
}

async function chartOf({ manifest, charts }: Bundle, { cluster, name }: IndexedRelease): Promise<ReadonlyMap<string, string>> {
  const packed = manifest.releases.find((release) => release.cluster === cluster && release.name === name);
  const bytes = charts.get(packed?.chart ?? '');
  if (bytes === undefined) throw archiveError('has no chart', `${cluster}/${name}`);
  const entries = await readTgz(bytes);
  return new Map(entries.map(({ path, contents }) => [path.slice(path.indexOf('/') + 1), Buffer.from(contents).toString('utf8')]));
}

function versionOf(chart: ReadonlyMap<string, string>): string {
  return Chart.parse(parseYaml(chart.get('Chart.yaml') ?? '', 'Chart.yaml').value).version;
}

function clustersFor({ clusters }: ReleaseIndex, { contexts, kubeconfig, ca }: UnpackOptions): ReleaseIndex['clusters'] {
  const unknown = [...contexts.keys()].find((name) => !clusters.some((cluster) => cluster.name === name));
  if (unknown !== undefined)
    throw usageError(`--context ${unknown}: there is no such cluster in the bundle`, {
      hint: `Its clusters are ${clusters.map(({ name }) => name).join(', ')}.`,
    });
  return clusters.map(({ kubeconfig: _kubeconfig, signer, ...cluster }) => {
    const context = contexts.get(cluster.name);
    return {
      ...cluster,
      ...(context === undefined ? {} : { context }),
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
      ...(signer === undefined ? {} : { signer: { folder: join(ca ?? notAtHand, cluster.name), root: signer.root } }),
    };
  });
}
