// A helm that installs into clusters in memory: releases with revisions and states, and objects with helm's marks.
import type { KubeObject } from '../../src/base/objects.ts';
import { toYamlStream } from '../../src/base/yaml.ts';
import type { ExecResult } from '../../src/system/types.ts';
import { type FakeCluster, pathOf } from './cluster.ts';
import type { RecordedCommand } from './system.ts';

export interface FakeChart {
  /** Name and version, `route-installer-cluster1-0.1.0+aaaa`. */
  readonly chart: string;
  readonly objects: (mode: 'install' | 'remove') => readonly KubeObject[];
}

interface Revision {
  revision: number;
  status: string;
  readonly chart: string;
  readonly updated: string;
  readonly objects: readonly KubeObject[];
}

export interface FakeHelmOptions {
  readonly clusters: Readonly<Record<string, FakeCluster>>;
  /** Charts by folder. */
  readonly charts: Readonly<Record<string, FakeChart>>;
  /** Called at every point where helm changes something; may throw, which is how a run dies in the middle. */
  readonly onChange?: (what: string) => void;
  readonly version?: string;
  readonly now?: () => Date;
  /** What controllers do after objects changed. */
  readonly reconcile?: (cluster: FakeCluster) => void;
}

const ok = (stdout = ''): ExecResult => ({ code: 0, stdout, stderr: '' });
const failed = (stderr: string): ExecResult => ({ code: 1, stdout: '', stderr });

/** Answers the commands of a fake System; undefined for what helm is not expected to be asked. */
export function fakeHelm(options: FakeHelmOptions): (command: RecordedCommand) => ExecResult | undefined {
  return (command) => {
    if (command.program !== 'helm') return undefined;
    return withoutCluster(command, options) ?? withCluster(command, options);
  };
}

function withoutCluster({ args }: RecordedCommand, options: FakeHelmOptions): ExecResult | undefined {
  if (args[0] === 'version') return ok(options.version ?? 'v4.3.1');
  if (args.includes('--help')) return ok('  --rollback-on-failure\n  --server-side string\n  --force-conflicts\n');
  if (args[0] === 'template') return ok(rendered(options.charts[args[2] ?? '']?.objects('install') ?? []));
  return undefined;
}

function withCluster({ args, options: { input } }: RecordedCommand, options: FakeHelmOptions): ExecResult | undefined {
  const [verb = '', second = '', third = ''] = args;
  const flag = (name: string) => args[args.indexOf(name) + 1] ?? '';
  const cluster = options.clusters[flag('--kube-context')];
  if (cluster === undefined) return failed('Error: context does not exist');
  const place = { cluster, key: (name: string) => `${flag('--namespace')}/${name}`, options };
  const answers: Readonly<Record<string, () => ExecResult>> = {
    list: () => ok(JSON.stringify(list(cluster, flag('--namespace')))),
    history: () => ok(JSON.stringify(revisionsOf(cluster, place.key(second)))),
    get: () => ok(rendered(revisionsOf(cluster, place.key(third)).at(-1)?.objects ?? [])),
    upgrade: () => upgrade(place, { release: second, folder: third, mode: input?.includes('remove') ? 'remove' : 'install' }),
    uninstall: () => uninstall(place, second),
    rollback: () => rollback(place, second, Number(third)),
  };
  return answers[verb]?.();
}

interface Place {
  readonly cluster: FakeCluster;
  readonly key: (name: string) => string;
  readonly options: FakeHelmOptions;
}

function revisionsOf(cluster: FakeCluster, key: string): Revision[] {
  return (cluster.releases.get(key) as Revision[] | undefined) ?? [];
}

function list(cluster: FakeCluster, namespace: string) {
  return [...cluster.releases.keys()]
    .filter((key) => key.startsWith(`${namespace}/`))
    .map((key) => {
      const { revision, status, chart, updated } = revisionsOf(cluster, key).at(-1) as Revision;
      return { name: key.split('/')[1], namespace, revision: String(revision), status, chart, updated };
    });
}

function upgrade({ cluster, key, options }: Place, wanted: { release: string; folder: string; mode: 'install' | 'remove' }): ExecResult {
  const chart = options.charts[wanted.folder];
  if (chart === undefined) return failed(`Error: path "${wanted.folder}" not found`);
  const revisions = revisionsOf(cluster, key(wanted.release));
  const last = revisions.at(-1);
  if (last !== undefined && (last.status.startsWith('pending') || last.status === 'uninstalling'))
    return failed('Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress');
  const change = (what: string) => options.onChange?.(`${what} ${wanted.release}`);
  change('before');
  const updated = `${(options.now?.() ?? new Date(0)).toISOString().replace('T', ' ').replace('Z', '')} +0000 UTC`;
  const objects = chart.objects(wanted.mode).map((object) => marked(object, wanted.release));
  const next: Revision = {
    revision: (last?.revision ?? 0) + 1,
    status: last === undefined ? 'pending-install' : 'pending-upgrade',
    chart: chart.chart,
    updated,
    objects,
  };
  cluster.releases.set(key(wanted.release), [...revisions, next]);
  change('pending');
  for (const object of objects) {
    cluster.add(object);
    change(`object ${object.kind} of`);
  }
  removeOld(cluster, last?.objects ?? [], objects);
  options.reconcile?.(cluster);
  change('installed');
  if (last !== undefined) last.status = 'superseded';
  next.status = 'deployed';
  return ok();
}

function uninstall({ cluster, key, options }: Place, release: string): ExecResult {
  const last = revisionsOf(cluster, key(release)).at(-1);
  if (last === undefined) return failed(`Error: uninstall: Release not loaded: ${release}: release: not found`);
  options.onChange?.(`uninstall ${release}`);
  last.status = 'uninstalling';
  options.onChange?.(`uninstalling ${release}`);
  for (const object of last.objects) {
    if (!isKept(object)) cluster.remove(object);
    options.onChange?.(`removed ${object.kind} of ${release}`);
  }
  options.reconcile?.(cluster);
  cluster.releases.delete(key(release));
  return ok();
}

function rollback({ cluster, key, options }: Place, release: string, revision: number): ExecResult {
  const revisions = revisionsOf(cluster, key(release));
  const good = revisions.find((each) => each.revision === revision);
  const last = revisions.at(-1);
  if (good === undefined || last === undefined) return failed('Error: release has no such revision');
  options.onChange?.(`rollback ${release}`);
  last.status = 'superseded';
  cluster.releases.set(key(release), [...revisions, { ...good, revision: last.revision + 1, status: 'deployed' }]);
  cluster.add(...good.objects);
  removeOld(cluster, last.objects, good.objects);
  options.reconcile?.(cluster);
  return ok();
}

/** What only the earlier revision has goes, unless it is to be kept. */
function removeOld(cluster: FakeCluster, before: readonly KubeObject[], now: readonly KubeObject[]): void {
  for (const old of before) if (!now.some((object) => pathOf(object) === pathOf(old)) && !isKept(old)) cluster.remove(old);
}

function marked(object: KubeObject, release: string): KubeObject {
  const annotations = { ...object.metadata.annotations, 'meta.helm.sh/release-name': release };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function isKept(object: KubeObject): boolean {
  return object.metadata.annotations?.['helm.sh/resource-policy'] === 'keep';
}

function rendered(objects: readonly KubeObject[]): string {
  return objects.length === 0 ? '' : `---\n${toYamlStream(objects)}`;
}
