// A cluster made of objects from a fixture file, behind the interface that real clusters have. It can refuse, and answer nonsense.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { failure } from '../../src/base/errors.ts';
import type { KubeObject } from '../../src/base/objects.ts';
import { parseYamlStream } from '../../src/base/yaml.ts';
import { inspectCluster } from '../../src/facts/inspect.ts';
import type { ClusterFacts } from '../../src/facts/schema.ts';
import type { ClusterReader, ListOptions } from '../../src/system/types.ts';

export interface FixtureOptions {
  readonly cluster?: string;
  readonly server?: string;
  /** Paths that are refused with this HTTP status. */
  readonly refuse?: Readonly<Record<string, number>>;
  /** Paths that answer with this instead: a list of objects, rows of cells for a table, or anything for one object. What is no list fails, as with the real client. */
  readonly answer?: Readonly<Record<string, unknown>>;
}

export interface FixtureReader extends ClusterReader {
  /** Paths that were read, in order. */
  readonly paths: readonly string[];
  /** Most requests that were under way at one time. */
  readonly mostAtOnce: () => number;
}

const folder = join(import.meta.dirname, '..', 'fixtures', 'clusters');

/** Kinds that every API server has, so an empty list of them is not "not served". */
const always: Readonly<Record<string, readonly string[]>> = {
  '/api/v1': ['nodes', 'pods', 'services', 'configmaps', 'namespaces'],
  '/apis/apps/v1': ['deployments', 'daemonsets'],
  '/apis/admissionregistration.k8s.io/v1': ['mutatingwebhookconfigurations'],
};

/** The objects of test/fixtures/clusters/<name>.yaml. */
export function loadFixture(name: string): KubeObject[] {
  const file = join(folder, `${name}.yaml`);
  return parseYamlStream(readFileSync(file, 'utf8'), file) as KubeObject[];
}

/** A reader of these objects. An object of kind Version carries what `/version` says. */
export function fixtureReader(objects: readonly KubeObject[], options: FixtureOptions = {}): FixtureReader {
  const collections = collect(objects);
  const paths: string[] = [];
  const load = { now: 0, most: 0 };
  const ask = async <T>(path: string, look: () => T): Promise<T> => {
    paths.push(path);
    load.most = Math.max(load.most, ++load.now);
    await new Promise((resolve) => setImmediate(resolve));
    load.now--;
    const status = options.refuse?.[path];
    if (status !== undefined) throw failure(`GET ${path} was refused`, { cause: { status } });
    return look();
  };
  const listed = (path: string, selection: ListOptions = {}): readonly KubeObject[] | undefined => {
    if (path in (options.answer ?? {})) return asList(path, options.answer?.[path]);
    return collections.get(path)?.filter((object) => isSelected(object, selection));
  };
  return {
    cluster: options.cluster ?? 'cluster1',
    server: options.server ?? 'https://10.9.8.7:6443',
    paths,
    mostAtOnce: () => load.most,
    get: (path) => ask(path, () => (path in (options.answer ?? {}) ? options.answer?.[path] : getObject(collections, objects, path))),
    list: (path, selection) => ask(path, () => listed(path, selection)),
    collect: (path, take, selection) => ask(path, () => listed(path, selection)?.map(take)),
    table: (path, columns, selection) =>
      ask(path, () => {
        const objects = listed(path, selection);
        if (path in (options.answer ?? {})) return objects?.map((row) => (Array.isArray(row) ? row : []));
        return objects?.map((object) => columns.map((column) => cellOf(object, column)));
      }),
    podLog: async () => '',
  };
}

/** The facts of a cluster made of these objects. */
export function inspectObjects(objects: readonly KubeObject[], options: FixtureOptions = {}): Promise<ClusterFacts> {
  const reader = fixtureReader(objects, options);
  return inspectCluster(reader, { cluster: reader.cluster, istioNamespace: 'istio-system', now: new Date('2026-11-22T12:00:00Z') });
}

function collect(objects: readonly KubeObject[]): Map<string, KubeObject[]> {
  const collections = new Map<string, KubeObject[]>();
  for (const [base, kinds] of Object.entries(always)) for (const kind of kinds) collections.set(`${base}/${kind}`, []);
  const namespaces = new Set(['kube-system', 'istio-system', 'default', ...objects.flatMap(({ metadata }) => metadata?.namespace ?? [])]);
  for (const namespace of namespaces) {
    for (const [base, kinds] of Object.entries(always))
      for (const kind of kinds) collections.set(`${base}/namespaces/${namespace}/${kind}`, []);
  }
  for (const object of objects.filter(({ kind }) => kind !== 'Version')) {
    for (const path of collectionPaths(object)) collections.set(path, [...(collections.get(path) ?? []), object]);
  }
  return collections;
}

function collectionPaths({ apiVersion, kind, metadata }: KubeObject): string[] {
  const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const plural = kind
    .toLowerCase()
    .replace(/(?<![aeiou])y$/, 'ie')
    .concat('s');
  return metadata.namespace === undefined
    ? [`${base}/${plural}`]
    : [`${base}/${plural}`, `${base}/namespaces/${metadata.namespace}/${plural}`];
}

function getObject(collections: ReadonlyMap<string, readonly KubeObject[]>, objects: readonly KubeObject[], path: string): unknown {
  if (path === '/version') return objects.find(({ kind }) => kind === 'Version');
  if (path === '/apis') return groupList([...collections.keys()]);
  const slash = path.lastIndexOf('/');
  const found = collections.get(path.slice(0, slash))?.find(({ metadata }) => metadata.name === path.slice(slash + 1));
  return found ?? resourceList([...collections.keys()], path);
}

function groupList(paths: readonly string[]): unknown {
  const groups = new Map<string, Set<string>>();
  for (const [, group = '', version = ''] of paths.flatMap((path) => [/^\/apis\/([^/]+)\/([^/]+)\//.exec(path) ?? []])) {
    if (group !== '') groups.set(group, new Set([...(groups.get(group) ?? []), version]));
  }
  return {
    kind: 'APIGroupList',
    groups: [...groups].map(([name, versions]) => ({ name, versions: [...versions].map((version) => ({ version })) })),
  };
}

function resourceList(paths: readonly string[], groupVersion: string): unknown {
  if (!/^\/apis\/[^/]+\/[^/]+$/.test(groupVersion)) return undefined;
  const names = paths.filter((path) => path.startsWith(`${groupVersion}/`)).map((path) => path.split('/').at(-1) ?? '');
  return names.length === 0 ? undefined : { kind: 'APIResourceList', resources: [...new Set(names)].map((name) => ({ name })) };
}

function asList(path: string, body: unknown): readonly KubeObject[] {
  if (Array.isArray(body)) return body as KubeObject[];
  throw failure(`GET ${path} did not answer with a list`);
}

function isSelected(object: KubeObject, { labelSelector, fieldSelector }: ListOptions): boolean {
  const [, key = '', values = ''] = /^(\w+) in \(([^)]*)\)$/.exec(labelSelector ?? '') ?? [];
  if (key !== '' && !values.split(',').includes(object.metadata.labels?.[key] ?? '')) return false;
  const refused = [...(fieldSelector ?? '').matchAll(/status\.phase!=(\w+)/g)].map((match) => match[1]);
  return !refused.includes(String((object['status'] as { phase?: string } | undefined)?.phase));
}

function cellOf(object: KubeObject, column: string): unknown {
  const { spec, status } = object as { spec?: { nodeName?: string }; status?: { podIP?: string } };
  if (column === 'Name') return object.metadata.name;
  if (column === 'IP') return status?.podIP ?? '<none>';
  return column === 'Node' ? (spec?.nodeName ?? '<none>') : undefined;
}
