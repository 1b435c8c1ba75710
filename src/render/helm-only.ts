// Charts with which install.sh does by helm alone what `isthmus install` does through the API: namespaces and remote secrets.
import { toYaml } from '../base/yaml.ts';
import { chartReadme } from './chart-readme.ts';
import { chartFolder } from './charts.ts';
import { type TemplateChart, templateChart } from './templates.ts';
import type { Artifact, ReleaseIndex, TemplateSources } from './types.ts';

interface HelmOnlyInput {
  readonly index: ReleaseIndex;
  readonly templates: TemplateSources;
  readonly version: string;
}

interface HelmOnlyChart {
  readonly chart: Exclude<TemplateChart, 'istio-ilb'>;
  readonly cluster: string;
  readonly folder: string;
  /** Undefined keeps the values.yaml of the chart itself. */
  readonly values?: object;
}

/**
 * The chart folders that only install.sh uses: `namespaces` of every cluster (which also checks that it is the right one), `remote-token` of every remote,
 * `remote-secret-<remote>` of every primary. None holds a secret: the token goes from one helm to the other through a pipe.
 */
export function helmOnlyCharts(input: HelmOnlyInput): readonly Artifact[] {
  return chartsOf(input.index).flatMap((chart) => artifactsOf(chart, input));
}

function chartsOf(index: ReleaseIndex): readonly HelmOnlyChart[] {
  return [
    ...index.clusters.map(
      ({ name, uid, namespaces }) =>
        ({ chart: 'namespaces', cluster: name, folder: 'namespaces', values: { mode: 'install', uid: uid ?? '', namespaces } }) as const,
    ),
    ...tokenCharts(index),
    ...index.remoteSecrets.map(
      ({ primary, remote }) => ({ chart: 'remote-secret', cluster: primary, folder: `remote-secret-${remote}` }) as const,
    ),
  ];
}

/** One per remote: what it reads and prints is the same for every primary that gets it. */
function tokenCharts(index: ReleaseIndex): readonly HelmOnlyChart[] {
  const byRemote = new Map(index.remoteSecrets.map((secret) => [secret.remote, secret]));
  return [...byRemote].map(([remote, { name, namespace, server, tokenSecret }]) => ({
    chart: 'remote-token',
    cluster: remote,
    folder: 'remote-token',
    values: { clusterName: remote, server: server ?? '', tokenSecret: { name: tokenSecret, namespace }, secret: { name, namespace } },
  }));
}

function artifactsOf({ chart, cluster, folder, values }: HelmOnlyChart, { index, templates, version }: HelmOnlyInput): readonly Artifact[] {
  const { mesh, istio } = index;
  const described = { kind: chart, release: folder, cluster, namespace: istio.namespace, mesh, istioVersion: istio.version };
  const files =
    values === undefined ? [] : [{ path: 'values.yaml', contents: `# Made from mesh.yaml; used by install.sh.\n${toYaml(values)}` }];
  return chartFolder({
    release: folder,
    cluster,
    mesh,
    istioVersion: istio.version,
    version,
    source: templateChart(templates, chart),
    files: [...files, chartReadme(described, templates)],
  }).artifacts;
}
