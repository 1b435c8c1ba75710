// What renderMesh needs besides a plan: the repository's templates, and charts that are small and stand still.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { MeshPlan } from '../../src/plan/types.ts';
import { type RenderInput, renderMesh } from '../../src/render/mesh.ts';
import type { Artifact, ChartFile, ChartSources, TemplateSources } from '../../src/render/types.ts';
import { loadedFor } from './plans.ts';

const root = join(import.meta.dirname, '..', '..');

/** The files below templates/. */
export function repositoryTemplates(): TemplateSources {
  return Object.fromEntries(readFiles(join(root, 'templates')).map(({ path, contents }) => [path, contents]));
}

/** The hand-written charts as they are in charts/. */
export function repositoryCharts(): ChartSources {
  const names = readdirSync(join(root, 'charts'));
  return Object.fromEntries(names.map((name) => [name, readFiles(join(root, 'charts', name))]));
}

/** Stand-ins for the hand-written charts: what render must copy, rewrite and leave out, without what changes from day to day. */
export function smallCharts(): ChartSources {
  return Object.fromEntries(['route-installer', 'istio-remote', 'istio-remote-classic'].map((name) => [name, smallChart(name)]));
}

/** Everything renderMesh takes for a plan; `changes` replaces parts of it. */
export function renderInput(plan: MeshPlan, changes: Partial<RenderInput> = {}): RenderInput {
  const facts = plan.clusters.map(({ name }) => ({ cluster: name, text: `# facts of ${name}, as they were saved\n` }));
  return { plan, loaded: loadedFor(plan), facts, charts: smallCharts(), templates: repositoryTemplates(), version: '0.1.0', ...changes };
}

/** Renders a plan and gives the contents by path. */
export function renderedFiles(plan: MeshPlan, changes: Partial<RenderInput> = {}): ReadonlyMap<string, string> {
  return new Map(renderMesh(renderInput(plan, changes)).map(({ path, contents }) => [path, contents]));
}

/** Writes artifacts below a folder, as `isthmus generate` does. */
export function writeArtifacts(folder: string, artifacts: readonly Artifact[]): void {
  for (const { path, contents, executable } of artifacts) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, contents, { mode: executable === true ? 0o755 : 0o644 });
  }
}

function readFiles(folder: string): readonly ChartFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: relative(folder, file), contents: readFileSync(file, 'utf8') }));
}

function smallChart(name: string): readonly ChartFile[] {
  const metadata = [
    'apiVersion: v2',
    `name: ${name}`,
    'version: 0.0.0',
    'kubeVersion: ">= 1.24.0-0"',
    'annotations:',
    '  artifacthub.io/license: Apache-2.0',
  ];
  const configMap = [
    'apiVersion: v1',
    'kind: ConfigMap',
    'metadata: {name: {{ .Release.Name }}}',
    'data: {cluster: {{ .Values.clusterName | quote }}}',
  ];
  return [
    { path: 'Chart.yaml', contents: `${metadata.join('\n')}\n` },
    { path: 'values.yaml', contents: 'clusterName: ""\n' },
    { path: '.helmignore', contents: '.git/\n' },
    { path: 'README.md', contents: 'Not needed to install it.\n' },
    { path: 'ci/default-values.yaml', contents: 'clusterName: cluster1\n' },
    { path: 'templates/configmap.yaml', contents: `${configMap.join('\n')}\n` },
  ];
}
