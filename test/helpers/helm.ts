// Runs both majors of helm on charts, offline and with private homes, and hands back what they made as objects.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '../../src/base/objects.ts';
import { parseYamlStream } from '../../src/base/yaml.ts';
import { assert } from './suite.ts';
import { toolPath } from './tools.ts';

export type Helm = 'helm3' | 'helm4';
export const helms = ['helm3', 'helm4'] as const satisfies readonly Helm[];

/** Kubernetes that charts are rendered for unless a test says otherwise; helm's own default differs from build to build. */
export const kubeVersion = '1.34.0';

export interface RenderOptions {
  /** Values as data, given to helm on stdin. */
  readonly values?: unknown;
  /** Values files, before `values`. */
  readonly files?: readonly string[];
  readonly release?: string;
  readonly namespace?: string;
  readonly kubeVersion?: string;
  /** Further arguments of helm. */
  readonly args?: readonly string[];
}

export interface HelmResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs helm with nothing of the user's: empty homes in a temporary folder, no plugins, no kubeconfig. */
export async function runHelm(helm: Helm, args: readonly string[], input = ''): Promise<HelmResult> {
  const home = mkdtempSync(join(tmpdir(), 'isthmus-helm-'));
  try {
    return await run(toolPath(helm), args, input, {
      HOME: home,
      HELM_CACHE_HOME: join(home, 'cache'),
      HELM_CONFIG_HOME: join(home, 'config'),
      HELM_DATA_HOME: join(home, 'data'),
      HELM_NO_PLUGINS: '1',
      KUBECONFIG: join(home, 'none'),
      NO_COLOR: '1',
      PATH: process.env['PATH'] ?? '',
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** `helm template` with one helm: the objects, sorted by kind, namespace and name. Fails when helm does. */
export async function template(helm: Helm, chart: string, options: RenderOptions = {}): Promise<KubeObject[]> {
  const result = await runTemplate(helm, chart, options);
  if (result.code !== 0) throw new Error(`${helm} template ${chart} failed:\n${result.stderr}`);
  return sortObjects(parseYamlStream(result.stdout, `${helm} template`) as KubeObject[]);
}

/** `helm template` with both helms, which must make the same objects. */
export async function templateBoth(chart: string, options: RenderOptions = {}): Promise<KubeObject[]> {
  const [three, four] = await Promise.all([template('helm3', chart, options), template('helm4', chart, options)]);
  assert.equal(four, three, 'helm 4 makes other objects than helm 3');
  return three;
}

/** The error text of a rendering that both helms refuse, that of helm 3; fails when one of them renders. */
export async function refusedByBoth(chart: string, options: RenderOptions = {}): Promise<string> {
  const results = await Promise.all(helms.map((helm) => runTemplate(helm, chart, options)));
  for (const [index, { code }] of results.entries()) if (code === 0) throw new Error(`${helms[index]} rendered what it should refuse`);
  return results[0]?.stderr ?? '';
}

/** `helm lint --strict` with both helms; fails with what they say. */
export async function lintBoth(chart: string, options: RenderOptions = {}): Promise<void> {
  const results = await Promise.all(
    helms.map((helm) => runHelm(helm, ['lint', '--strict', chart, ...commonArgs(options)], inputOf(options))),
  );
  for (const [index, result] of results.entries()) {
    if (result.code !== 0) throw new Error(`${helms[index]} lint ${chart}:\n${result.stdout}${result.stderr}`);
  }
}

/** What NOTES.txt says after an install, by helm 4: helm 3 renders no notes without a cluster. */
export async function notesOf(chart: string, options: RenderOptions = {}): Promise<string> {
  const args = ['install', options.release ?? 'release', chart, '--dry-run=client', '--output', 'json', ...valueArgs(options)];
  const result = await runHelm('helm4', args, inputOf(options));
  if (result.code !== 0) throw new Error(`helm4 install --dry-run=client ${chart} failed:\n${result.stderr}`);
  return (JSON.parse(result.stdout) as { info: { notes?: string } }).info.notes ?? '';
}

/** The one object of that kind and name; fails when it is missing. */
export function objectOf(objects: readonly KubeObject[], kind: string, name: string): KubeObject {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} objects ${kind} ${name} among ${names(objects)}`);
  return found[0];
}

function runTemplate(helm: Helm, chart: string, options: RenderOptions): Promise<HelmResult> {
  return runHelm(helm, ['template', options.release ?? 'release', chart, ...commonArgs(options)], inputOf(options));
}

function commonArgs(options: RenderOptions): string[] {
  return ['--kube-version', options.kubeVersion ?? kubeVersion, ...valueArgs(options)];
}

function valueArgs(options: RenderOptions): string[] {
  return [
    ...['--namespace', options.namespace ?? 'istio-system'],
    ...(options.files ?? []).flatMap((file) => ['--values', file]),
    ...(options.values === undefined ? [] : ['--values', '-']),
    ...(options.args ?? []),
  ];
}

function inputOf(options: RenderOptions): string {
  return options.values === undefined ? '' : JSON.stringify(options.values);
}

function run(program: string, args: readonly string[], input: string, env: Record<string, string>): Promise<HelmResult> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { env, maxBuffer: 64 * 1024 * 1024, timeout: 60_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stdout, stderr: stderr === '' && error !== null ? error.message : stderr });
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

function sortObjects(objects: readonly KubeObject[]): KubeObject[] {
  const key = ({ kind, metadata }: KubeObject) => `${kind} ${metadata.namespace ?? ''} ${metadata.name}`;
  return [...objects].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function names(objects: readonly KubeObject[]): string {
  return objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).join(', ');
}
