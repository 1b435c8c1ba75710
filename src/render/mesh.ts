// The whole of out/ from a plan. Pure: it decides nothing about the mesh, reads no file and has no clock.
import { createHash } from 'node:crypto';
import { failure } from '../base/errors.ts';
import { toYaml } from '../base/yaml.ts';
import type { ClusterPlan, MeshPlan, PlannedRelease } from '../plan/types.ts';
import { AmbientGatewayValues } from '../plan/values/ambient-gateway.ts';
import { imageText } from '../plan/values/common.ts';
import { EastwestGatewayValues } from '../plan/values/eastwest-gateway.ts';
import { IstioReaderValues } from '../plan/values/istio-reader.ts';
import { IstioRemoteValues } from '../plan/values/istio-remote.ts';
import { IstioRemoteClassicValues } from '../plan/values/istio-remote-classic.ts';
import { RouteInstallerValues } from '../plan/values/route-installer.ts';
import type { LoadedMesh } from '../spec/schema.ts';
import { chartReadme } from './chart-readme.ts';
import { type ChartFolder, type ChartImage, chartFolder } from './charts.ts';
import { guideData } from './guide.ts';
import { helmOnlyCharts } from './helm-only.ts';
import { ilbManifests } from './ilb.ts';
import { istioValues, pilotImage } from './istio-charts.ts';
import { clustersByName, folderKey, releaseIndex } from './releases.ts';
import { renderTemplate, templateChart } from './templates.ts';
import { topologySvg } from './topology.ts';
import type { Artifact, ChartFile, ChartSources, TemplateSources } from './types.ts';
import { valuesYaml } from './values.ts';

export interface RenderInput {
  readonly plan: MeshPlan;
  readonly loaded: Pick<LoadedMesh, 'mesh' | 'text'>;
  /** Text of the facts file of each cluster that has one. */
  readonly facts: readonly { readonly cluster: string; readonly text: string }[];
  /** The hand-written charts. */
  readonly charts: ChartSources;
  readonly templates: TemplateSources;
  /** Version of isthmus. */
  readonly version: string;
}

type ChartsInput = Pick<RenderInput, 'plan' | 'charts' | 'templates' | 'version'>;

/**
 * Renders a plan as the files of out/, in bytewise order of path: a self-contained chart folder per cluster and ready release,
 * releases.yaml, plan.yaml, mesh.yaml, facts/, topology.svg, README.md, install.sh with the charts it needs, checksums.txt.
 * A release that waits gets no files. The same plan gives the same bytes, whatever the order of its clusters.
 * @throws IsthmusError when a chart or template is missing or malformed
 */
export function renderMesh(input: RenderInput): readonly Artifact[] {
  const { plan, loaded, version } = input;
  const folders = chartFolders(input);
  const index = releaseIndex({ plan, mesh: loaded.mesh, folders, version });
  const guide = guideData(plan, index);
  const artifacts: readonly Artifact[] = [
    ...[...folders.values()].flatMap((folder) => folder.artifacts),
    ...helmOnlyCharts({ index, templates: input.templates, version }),
    ...input.facts.map(({ cluster, text }) => ({ path: `facts/${cluster}.yaml`, contents: text })),
    { path: 'README.md', contents: renderTemplate(input.templates, 'README.md.hbs', guide) },
    { path: 'install.sh', contents: renderTemplate(input.templates, 'install.sh.hbs', guide), executable: true },
    { path: 'mesh.yaml', contents: loaded.text },
    { path: 'plan.yaml', contents: toYaml({ ...plan, clusters: clustersByName(plan) }) },
    { path: 'releases.yaml', contents: toYaml(index) },
    { path: 'topology.svg', contents: topologySvg(plan) },
  ];
  return [...artifacts, { path: 'checksums.txt', contents: checksums(artifacts) }].toSorted(byPath);
}

function chartFolders(input: ChartsInput): ReadonlyMap<string, ChartFolder> {
  return new Map(
    input.plan.clusters.flatMap((cluster) =>
      cluster.releases
        .filter(({ waitsFor }) => waitsFor.length === 0)
        .map((release) => [folderKey(cluster.name, release.name), releaseFolder(release, cluster, input)] as const),
    ),
  );
}

function releaseFolder(release: PlannedRelease, cluster: ClusterPlan, input: ChartsInput): ChartFolder {
  const { plan, templates, version } = input;
  const generated = release.chart === 'istio-ilb';
  const names = { release: release.name, cluster: cluster.name, mesh: plan.mesh, istioVersion: plan.istio.version };
  const readme = chartReadme({ ...names, kind: release.chart, namespace: release.namespace }, templates);
  return chartFolder({
    ...names,
    version,
    source: generated ? templateChart(templates, release.chart) : chartSource(input.charts, release.chart),
    files: [...(generated ? ilbManifests(release.services, plan.mesh, templates) : [valuesFile(release, input.charts)]), readme],
    images: imagesOf(release),
  });
}

function imagesOf(release: PlannedRelease): readonly ChartImage[] {
  switch (release.chart) {
    case 'route-installer':
      return [{ name: 'agent', image: imageText(release.values.image) }];
    case 'istio-remote-classic':
      return [{ name: 'citadel', image: imageText(release.values.citadel.image) }];
    case 'istiod':
      return [{ name: 'discovery', image: pilotImage(release.values) }];
    default:
      return [];
  }
}

function chartSource(charts: ChartSources, name: string): readonly ChartFile[] {
  const source = charts[name];
  if (source === undefined) throw failure('the chart is missing', { where: `charts/${name}` });
  return source;
}

function valuesFile(release: Exclude<PlannedRelease, { readonly chart: 'istio-ilb' }>, charts: ChartSources): ChartFile {
  return { path: 'values.yaml', contents: valuesText(release, charts) };
}

function valuesText(release: Exclude<PlannedRelease, { readonly chart: 'istio-ilb' }>, charts: ChartSources): string {
  switch (release.chart) {
    case 'istio-base':
    case 'istiod':
      return istioValues(chartSource(charts, release.chart), release.values);
    case 'route-installer':
      return valuesYaml(RouteInstallerValues, release.values);
    case 'eastwest-gateway':
      return valuesYaml(EastwestGatewayValues, release.values);
    case 'ambient-gateway':
      return valuesYaml(AmbientGatewayValues, release.values);
    case 'istio-reader':
      return valuesYaml(IstioReaderValues, release.values);
    case 'istio-remote':
      return valuesYaml(IstioRemoteValues, release.values);
    case 'istio-remote-classic':
      return valuesYaml(IstioRemoteClassicValues, release.values);
  }
}

/** `sha256sum -c checksums.txt` in out/ proves that nothing was changed. */
function checksums(artifacts: readonly Artifact[]): string {
  const line = ({ path, contents }: Artifact) => `${createHash('sha256').update(contents).digest('hex')}  ${path}\n`;
  return artifacts.toSorted(byPath).map(line).join('');
}

function byPath(a: Artifact, b: Artifact): number {
  return a.path < b.path ? -1 : 1;
}
