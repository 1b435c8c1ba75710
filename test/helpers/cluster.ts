// A cluster in memory: objects by API path, server-side apply with owners of fields, discovery, and a record of every write.
import { failure } from '../../src/base/errors.ts';
import type { KubeObject } from '../../src/base/objects.ts';
import type { ClusterClient } from '../../src/system/types.ts';

/** Kinds that the fake API server serves: group version, kind, plural, namespaced. */
const served: readonly (readonly [string, string, string, boolean])[] = [
  ['v1', 'Namespace', 'namespaces', false],
  ['v1', 'Node', 'nodes', false],
  ['v1', 'Pod', 'pods', true],
  ['v1', 'Service', 'services', true],
  ['v1', 'ConfigMap', 'configmaps', true],
  ['v1', 'Secret', 'secrets', true],
  ['v1', 'ServiceAccount', 'serviceaccounts', true],
  ['v1', 'Event', 'events', true],
  ['apps/v1', 'DaemonSet', 'daemonsets', true],
  ['apps/v1', 'Deployment', 'deployments', true],
  ['apps/v1', 'ControllerRevision', 'controllerrevisions', true],
  ['batch/v1', 'Job', 'jobs', true],
  ['coordination.k8s.io/v1', 'Lease', 'leases', true],
  ['discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices', true],
  ['rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', false],
  ['rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'clusterrolebindings', false],
  ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', 'mutatingwebhookconfigurations', false],
  ['crd.projectcalico.org/v1', 'IPPool', 'ippools', false],
  ['apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', false],
  ['networking.istio.io/v1', 'Gateway', 'gateways', true],
  ['gateway.networking.k8s.io/v1', 'Gateway', 'gateways', true],
];

export interface FakeCluster {
  readonly objects: Map<string, KubeObject>;
  /** `APPLY /api/v1/namespaces/istio-system`, in order. */
  readonly writes: string[];
  readonly reads: string[];
  /** Called before each request with `GET path`; may throw in its place. */
  intercept: (request: string) => void | Promise<void>;
  /** The time that managed fields get. */
  now: () => Date;
  /** Logs by `namespace/pod`. */
  readonly logs: Map<string, string>;
  /** Helm releases, kept by the fake helm. */
  readonly releases: Map<string, unknown>;
  add(...objects: readonly KubeObject[]): void;
  find(kind: string, name: string): KubeObject | undefined;
  remove(object: KubeObject): void;
  client(cluster: string): ClusterClient;
}

export interface FakeClusterOptions {
  readonly uid?: string;
  readonly server?: string;
  readonly objects?: readonly KubeObject[];
}

/** The API path of an object. */
export function pathOf(object: KubeObject): string {
  const [group, , plural, namespaced] = served.find(([version, kind]) => version === object.apiVersion && kind === object.kind) ?? [];
  if (group === undefined) throw new Error(`the fake API server does not serve ${object.apiVersion} ${object.kind}`);
  const base = group === 'v1' ? '/api/v1' : `/apis/${group}`;
  return `${base}${namespaced ? `/namespaces/${object.metadata.namespace}` : ''}/${plural}/${object.metadata.name}`;
}

/** Makes a cluster that holds kube-system and `objects`. */
export function fakeCluster(options: FakeClusterOptions = {}): FakeCluster {
  const objects = new Map<string, KubeObject>();
  let counter = 0;
  const store = (path: string, object: KubeObject) => {
    const uid = objects.get(path)?.metadata.uid ?? object.metadata.uid ?? `uid-${++counter}`;
    const stored = { ...object, metadata: { ...object.metadata, uid, resourceVersion: String(++counter) } };
    objects.set(path, stored);
    return stored;
  };
  const cluster: FakeCluster = {
    objects,
    writes: [],
    reads: [],
    intercept: () => undefined,
    now: () => new Date(0),
    logs: new Map(),
    releases: new Map(),
    add: (...added) => {
      for (const object of added) store(pathOf(object), object);
    },
    find: (kind, name) => [...objects.values()].find((object) => object.kind === kind && object.metadata.name === name),
    remove: (object) => void objects.delete(pathOf(object)),
    client: (name) => clientOf(name, cluster, { store, server: options.server ?? `https://${name}.example:6443` }),
  };
  cluster.add(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system', uid: options.uid ?? 'uid-of-cluster' } },
    ...(options.objects ?? []),
  );
  return cluster;
}

interface Backing {
  readonly store: (path: string, object: KubeObject) => KubeObject;
  readonly server: string;
}

function clientOf(name: string, fake: FakeCluster, { store, server }: Backing): ClusterClient {
  const read = async (path: string) => {
    fake.reads.push(path);
    await fake.intercept(`GET ${path}`);
  };
  const write = async (verb: string, path: string, dryRun = false) => {
    await fake.intercept(`${verb} ${path}${dryRun ? '?dryRun=All' : ''}`);
    if (!dryRun) fake.writes.push(`${verb} ${path}`);
  };
  const listed = async (path: string, labels?: string, fields?: string) => {
    await read(path);
    if (!isServed(path)) return undefined;
    return [...fake.objects].filter(([key, object]) => below(path, key) && matches(object, labels, fields)).map(([, object]) => object);
  };
  return {
    cluster: name,
    server,
    certificateAuthority: 'authority of the kubeconfig',
    get: async (path) => {
      await read(path);
      return discovery(path) ?? fake.objects.get(path.split('?')[0] ?? '');
    },
    list: (path, options) => listed(path, options?.labelSelector, options?.fieldSelector),
    collect: async (path, take, options) => (await listed(path, options?.labelSelector, options?.fieldSelector))?.map(take),
    table: async () => {
      throw new Error('the fake API server serves no Tables');
    },
    podLog: async (namespace, pod) => fake.logs.get(`${namespace}/${pod}`) ?? '',
    apply: async (collection, object, { fieldManager, force, dryRun }) => {
      const path = `${collection}/${object.metadata.name}`;
      await write('APPLY', path, dryRun);
      const merged = serverSideApply(fake.objects.get(path), object, { manager: fieldManager, force: force ?? false, now: fake.now() });
      return dryRun ? merged : store(path, merged);
    },
    create: async (collection, object, options) => {
      const review = object.kind === 'SelfSubjectAccessReview' || object.kind === 'TokenReview';
      const path = review ? collection : `${collection}/${object.metadata.name}`;
      await write('CREATE', path, review || options?.dryRun);
      if (review) return { ...object, status: { allowed: true, authenticated: isToken(fake, object) } };
      if (fake.objects.has(path)) return undefined;
      return options?.dryRun ? object : store(path, object);
    },
    replace: async (path, object) => {
      await write('REPLACE', path);
      const current = fake.objects.get(path);
      const stale = object.metadata.resourceVersion !== undefined && object.metadata.resourceVersion !== current?.metadata.resourceVersion;
      return current === undefined || stale ? undefined : store(path, object);
    },
    delete: async (path, options) => {
      await write('DELETE', path);
      const current = fake.objects.get(path);
      if (current === undefined || (options?.uid !== undefined && current.metadata.uid !== options.uid)) return false;
      for (const key of [...fake.objects.keys()]) if (key === path || key.startsWith(`${path}/`)) fake.objects.delete(key);
      if (current.kind === 'Namespace') dropNamespace(fake, current.metadata.name);
      return true;
    },
    close: () => undefined,
  };
}

function dropNamespace(fake: FakeCluster, namespace: string): void {
  for (const [key, object] of [...fake.objects]) if (object.metadata.namespace === namespace) fake.objects.delete(key);
}

function below(collection: string, key: string): boolean {
  const cut = key.lastIndexOf('/');
  if (key.slice(0, cut) === collection) return true;
  return key.slice(0, cut).replace(/\/namespaces\/[^/]+\//, '/') === collection;
}

function isServed(path: string): boolean {
  return served.some(([, , plural]) => path.endsWith(`/${plural}`));
}

function matches(object: KubeObject, labels = '', fields = ''): boolean {
  const wantedLabels = labels.split(',').filter((term) => term !== '');
  const hasLabels = wantedLabels.every((term) => {
    const [key = '', value] = term.split('=');
    const actual = object.metadata.labels?.[key];
    return value === undefined ? actual !== undefined : actual === value;
  });
  const hasFields = fields
    .split(',')
    .filter((term) => term !== '')
    .every((term) => {
      const [path = '', value] = term.split('=');
      return path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], object) === value;
    });
  return hasLabels && hasFields;
}

function discovery(path: string): unknown {
  if (path === '/apis') {
    const groups = [...new Set(served.map(([group]) => group).filter((group) => group !== 'v1'))];
    const versions = groups.map((group) => ({ name: group.split('/')[0], preferredVersion: { groupVersion: group } }));
    return { kind: 'APIGroupList', groups: versions };
  }
  const group = path === '/api/v1' ? 'v1' : path.replace(/^\/apis\//, '');
  const resources = served.filter(([version]) => version === group);
  if (resources.length === 0 || !/^\/(api\/v1|apis\/[^/]+\/[^/]+)$/.test(path)) return undefined;
  return {
    kind: 'APIResourceList',
    resources: resources.map(([, kind, name, namespaced]) => ({ name, kind, namespaced, verbs: ['get', 'list', 'create', 'delete'] })),
  };
}

type Leaves = Map<string, unknown>;

/** Ownership lives in an annotation-free side field that real servers call managedFields. */
function serverSideApply(
  current: KubeObject | undefined,
  applied: KubeObject,
  who: { manager: string; force: boolean; now: Date },
): KubeObject {
  const owners = new Map(Object.entries((current?.['owners'] as Record<string, string> | undefined) ?? {}));
  const before = leavesOf(current ?? {});
  const wanted = leavesOf(applied);
  const conflicts = [...wanted].filter(([key, value]) => {
    const owner = owners.get(key) ?? (before.has(key) && current !== undefined ? 'kubectl' : undefined);
    return owner !== undefined && owner !== who.manager && before.get(key) !== value && !who.force;
  });
  if (conflicts.length > 0)
    throw failure(`409 conflict with "${owners.get(conflicts[0]?.[0] ?? '') ?? 'kubectl'}": ${conflicts[0]?.[0]}`, {
      cause: { status: 409 },
    });
  const kept = [...before].filter(([key]) => owners.get(key) !== who.manager || wanted.has(key));
  const merged = new Map([...kept, ...wanted]);
  for (const [key, owner] of [...owners]) if (owner === who.manager && !wanted.has(key)) owners.delete(key);
  for (const key of wanted.keys()) if (!before.has(key) || who.force) owners.set(key, who.manager);
  return {
    ...fromLeaves(merged),
    apiVersion: applied.apiVersion,
    kind: applied.kind,
    ...(current?.['status'] === undefined ? {} : { status: current['status'] }),
    metadata: {
      ...current?.metadata,
      ...identity(applied),
      ...metadataOf(merged),
      managedFields: managersOf(owners, changeTime(current, before, merged, who.now)),
    },
    owners: Object.fromEntries(owners),
  } as unknown as KubeObject;
}

function identity({ metadata }: KubeObject) {
  return { name: metadata.name, ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }) };
}

function managersOf(owners: ReadonlyMap<string, string>, time: string) {
  return [...new Set(owners.values())].map((manager) => ({ manager, operation: 'Apply', time }));
}

/** An apply that changes nothing leaves the time as it was. */
function changeTime(current: KubeObject | undefined, before: Leaves, merged: Leaves, now: Date): string {
  const fields = (current?.metadata as { managedFields?: readonly { time?: string }[] } | undefined)?.managedFields;
  const same = JSON.stringify([...before].sort()) === JSON.stringify([...merged].sort());
  return (same ? fields?.[0]?.time : undefined) ?? now.toISOString();
}

/** Whether the token of a TokenReview is one that a Secret of the cluster holds. */
function isToken(fake: FakeCluster, review: KubeObject): boolean {
  const wanted = Buffer.from((review['spec'] as { token?: string } | undefined)?.token ?? '').toString('base64');
  return [...fake.objects.values()].some(
    ({ kind, data }) => kind === 'Secret' && (data as { token?: string } | undefined)?.token === wanted,
  );
}

const skipped = new Set(['apiVersion', 'kind', 'owners', 'status']);
const separator = '\u0000';

function leavesOf(object: object): Leaves {
  const leaves: Leaves = new Map();
  const visit = (value: unknown, path: readonly string[]) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return void leaves.set(path.join(separator), value);
    for (const [key, child] of Object.entries(value)) visit(child, [...path, key]);
  };
  for (const [key, value] of Object.entries(object)) {
    if (skipped.has(key)) continue;
    if (key !== 'metadata') visit(value, [key]);
    else for (const part of ['labels', 'annotations'] as const) visit((value as KubeObject['metadata'])[part] ?? {}, ['metadata', part]);
  }
  return leaves;
}

function fromLeaves(leaves: Leaves): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [key, value] of leaves) {
    const path = key.split(separator);
    if (path[0] === 'metadata') continue;
    let at = object;
    for (const part of path.slice(0, -1)) at = at[part] = (at[part] as Record<string, unknown> | undefined) ?? {};
    at[path.at(-1) ?? ''] = value;
  }
  return object;
}

function metadataOf(leaves: Leaves) {
  const part = (name: string) =>
    Object.fromEntries(
      [...leaves].filter(([key]) => key.startsWith(`metadata${separator}${name}`)).map(([key, value]) => [key.split(separator)[2], value]),
    );
  return { labels: part('labels'), annotations: part('annotations') };
}
