// Istio's own charts, read for a plan that installs them: from a folder, from a chart repository, or from out/ where they are already.
import { join, resolve } from 'node:path';
import { usageError } from '../base/errors.ts';
import type { MeshPlan } from '../plan/types.ts';
import { findHelm } from '../release/helm.ts';
import type { ChartFile, ChartSources } from '../render/types.ts';
import type { System } from '../system/types.ts';
import type { Source } from './source.ts';

/** Where Istio publishes its charts. */
const published = 'https://istio-release.storage.googleapis.com/charts';

/** Names of the charts here, as Istio publishes them, and where they are in an unpacked release of Istio. */
const charts = [
  { name: 'istio-base', published: 'base', folders: ['base', 'manifests/charts/base'] },
  {
    name: 'istiod',
    published: 'istiod',
    folders: ['istiod', 'istio-control/istio-discovery', 'manifests/charts/istio-control/istio-discovery'],
  },
] as const;

type IstioChart = (typeof charts)[number];

/**
 * The charts that the plan needs; none when it installs no Istio.
 * @param out folder that is generated; when mesh.yaml lies in it, so do the charts that were read for it the first time
 * @throws IsthmusError (usage) when they cannot be found
 */
export async function readIstioCharts(system: System, source: Source & { readonly plan: MeshPlan }, out: string): Promise<ChartSources> {
  const planned = source.plan.clusters.flatMap(({ name, releases }) =>
    releases.map(({ chart, name: release }) => ({ name, chart, release })),
  );
  const needed = charts.flatMap((chart) => {
    const first = planned.find((release) => release.chart === chart.name);
    return first === undefined ? [] : [{ chart, folder: join(out, 'clusters', first.name, first.release) }];
  });
  const read = needed.map(async ({ chart, folder }) => {
    const again = source.loaded.folder === out && (await system.files.exists(join(folder, 'Chart.yaml')));
    return [chart.name, await (again ? readFolder(system, folder) : find(system, source, chart))] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

async function find(system: System, { loaded }: Source, chart: IstioChart): Promise<readonly ChartFile[]> {
  const where = loaded.mesh.istio.charts ?? published;
  if (/^(?:https|oci):\/\//.test(where)) return pull(system, chart, { where, version: loaded.mesh.istio.version });
  const folders = chart.folders.map((folder) => resolve(loaded.folder, where, folder));
  for (const folder of folders) if (await system.files.exists(join(folder, 'Chart.yaml'))) return readFolder(system, folder);
  throw usageError(`has no chart ${chart.published} of Istio`, {
    where,
    hint: `Looked for Chart.yaml in ${folders.join(', ')}. Unpack a release of Istio ${loaded.mesh.istio.version} there, or name a chart repository in istio.charts.`,
  });
}

/** Fetched by helm, with its user's credentials for registries. */
async function pull(
  system: System,
  chart: IstioChart,
  { where, version }: { readonly where: string; readonly version: string },
): Promise<readonly ChartFile[]> {
  const helm = await findHelm(system, { withCredentials: true });
  const folder = join(system.env['TMPDIR'] || '/tmp', `isthmus-charts-${system.uuid()}`);
  const source = where.startsWith('oci:') ? [`${where.replace(/\/+$/, '')}/${chart.published}`] : [chart.published, '--repo', where];
  try {
    await helm.run(['pull', ...source, '--version', version, '--untar', '--untardir', folder], { where });
    return await readFolder(system, join(folder, chart.published));
  } finally {
    await system.files.remove(folder);
    await helm.close();
  }
}

async function readFolder(system: System, folder: string): Promise<readonly ChartFile[]> {
  const paths = await system.files.list(folder);
  return Promise.all(paths.map(async (path) => ({ path, contents: await system.files.read(join(folder, path)) })));
}
