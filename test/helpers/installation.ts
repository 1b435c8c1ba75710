// A generated mesh of two clusters in memory: a primary with an ILB, a remote, routes in both, and controllers that do their work.

import type { KubeObject } from '../../src/base/objects.ts';
import { toYaml } from '../../src/base/yaml.ts';
import { type FakeCluster, fakeCluster } from './cluster.ts';
import { type FakeChart, fakeHelm } from './fake-helm.ts';
import { type FakeSystem, type FakeSystemOptions, fakeSystem } from './system.ts';

/** Must never be seen outside the two Secrets. */
export const canary = 'canary-token-c0ffee';
const token = Buffer.from(canary).toString('base64');
export const version = '0.1.0+aaaaaaaaaaaa';

const node = (name: string, ready = true): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/os': 'linux' } },
  status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});

function routesChart(cluster: string): FakeChart {
  const metadata = (name: string) => ({ name, namespace: 'isthmus-system', labels: { app: 'routes' } });
  return {
    chart: `route-installer-${cluster}-${version}`,
    objects: (mode) => [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('routes'), data: { header: `mode ${mode}\n` } },
      ...['n1', 'n2'].map((name) => ({
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: metadata(`routes-${mode}-${name}`),
        spec: { template: { spec: { nodeName: name } } },
      })),
      {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: metadata('keeper'),
        spec: { selector: { matchLabels: { app: 'keeper' } }, template: { spec: {} } },
      },
    ],
  };
}

const ilbChart: FakeChart = {
  chart: `istio-ilb-cluster1-${version}`,
  objects: () => [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'istiod-ilb', namespace: 'istio-system', annotations: { 'helm.sh/resource-policy': 'keep' } },
      spec: { type: 'LoadBalancer' },
    },
  ],
};

function gatewayChart(cluster: string): FakeChart {
  const metadata = { name: 'istio-eastwestgateway', namespace: 'istio-system' };
  const kept = { annotations: { 'helm.sh/resource-policy': 'keep' } };
  return {
    chart: `eastwest-gateway-${cluster}-${version}`,
    objects: () => [
      { apiVersion: 'v1', kind: 'Service', metadata: { ...metadata, ...kept }, spec: { type: 'LoadBalancer' } },
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 2 } },
    ],
  };
}

const remoteChart: FakeChart = {
  chart: `istio-remote-cluster2-${version}`,
  objects: () => [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'reader', namespace: 'istio-system' } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'reader-token', namespace: 'istio-system' } },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: 'istio-sidecar-injector' },
      webhooks: [{ clientConfig: { caBundle: 'Y2E=' } }],
    },
  ],
};

/** What controllers of the cluster do: finish Jobs, run the keeper on every node, fill tokens, give addresses. */
export function reconcile(cluster: FakeCluster): void {
  for (const object of [...cluster.objects.values()]) {
    if (object.kind === 'Job') cluster.add({ ...object, status: { conditions: [{ type: 'Complete', status: 'True' }] } });
    if (object.kind === 'DaemonSet') cluster.add(...[...cluster.objects.values()].filter(({ kind }) => kind === 'Node').map(keeperPod));
    if (object.kind === 'Deployment') cluster.add({ ...object, status: { updatedReplicas: 2, availableReplicas: 2 } });
    if (object.kind === 'Secret' && object.metadata.name === 'reader-token' && object['data'] === undefined)
      cluster.add({ ...object, data: { token, 'ca.crt': 'Y2E=' } });
    if (object.kind === 'Service') cluster.add({ ...object, status: { loadBalancer: { ingress: [{ ip: '10.0.0.9' }] } } });
  }
  if (cluster.find('DaemonSet', 'keeper') === undefined)
    for (const pod of [...cluster.objects.values()].filter(({ kind }) => kind === 'Pod')) cluster.remove(pod);
}

function keeperPod({ metadata }: KubeObject): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `keeper-${metadata.name}`, namespace: 'isthmus-system', labels: { app: 'keeper' }, ...owned },
    spec: { nodeName: metadata.name },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  };
}
const owned = { ownerReferences: [{ uid: 'keeper' }] };

const namespaces = [
  { name: 'isthmus-system', labels: { 'pod-security.kubernetes.io/enforce': 'privileged' }, annotations: {} },
  { name: 'istio-system', labels: { 'topology.istio.io/network': 'network1' }, annotations: {} },
];

const release = (name: string, cluster: string, order: number, namespace = 'istio-system') => ({
  ...{ name, namespace, cluster, chart: name, order, version },
  folder: `clusters/${cluster}/${name}`,
  waitsFor: [] as string[],
});

/** releases.yaml as data; tests change what they are about. */
export function releaseIndex() {
  return {
    apiVersion: 'isthmus/v1',
    kind: 'ReleaseIndex',
    mesh: 'bookinfo',
    isthmus: '0.1.0',
    istio: { version: '1.30.3', namespace: 'istio-system', revision: '' },
    routesNamespace: 'isthmus-system',
    clusters: [
      { name: 'cluster1', role: 'primary', network: 'network1', context: 'one', uid: 'uid-1', namespaces, nodes: ['n1', 'n2'] },
      {
        name: 'cluster2',
        role: 'remote',
        network: 'network1',
        controlPlane: 'cluster1',
        context: 'two',
        uid: 'uid-2',
        namespaces,
        nodes: ['n1', 'n2'],
      },
    ],
    releases: [
      {
        ...release('istio-ilb', 'cluster1', 10),
        kept: [{ apiVersion: 'v1', kind: 'Service', namespace: 'istio-system', name: 'istiod-ilb' }],
      },
      release('route-installer', 'cluster1', 20, 'isthmus-system'),
      release('route-installer', 'cluster2', 20, 'isthmus-system'),
      release('istio-remote', 'cluster2', 30),
    ],
    remoteSecrets: [
      {
        ...{ name: 'istio-remote-secret-cluster2', namespace: 'istio-system', remote: 'cluster2', primary: 'cluster1' },
        ...{ serviceAccount: 'reader', tokenSecret: 'reader-token' },
      },
    ],
  };
}

/** The same clusters in networks of their own: no routes, and a gateway in each. */
export function gatewayIndex() {
  const index = releaseIndex();
  const kept = [{ apiVersion: 'v1', kind: 'Service', namespace: 'istio-system', name: 'istio-eastwestgateway' }];
  return {
    ...index,
    clusters: index.clusters.map((cluster) => ({ ...cluster, network: `net-${cluster.name}` })),
    releases: [
      { ...release('eastwest-gateway', 'cluster1', 10), kept },
      release('istio-remote', 'cluster2', 30),
      { ...release('eastwest-gateway', 'cluster2', 40), kept },
    ],
  };
}

export const out = '/home/me/out';

const charts: Readonly<Record<string, FakeChart>> = {
  [`${out}/clusters/cluster1/istio-ilb`]: ilbChart,
  [`${out}/clusters/cluster1/route-installer`]: routesChart('cluster1'),
  [`${out}/clusters/cluster2/route-installer`]: routesChart('cluster2'),
  [`${out}/clusters/cluster2/istio-remote`]: remoteChart,
  [`${out}/clusters/cluster1/eastwest-gateway`]: gatewayChart('cluster1'),
  [`${out}/clusters/cluster2/eastwest-gateway`]: gatewayChart('cluster2'),
};

/** The two clusters as they are before anything of ours is in them. */
export function twoClusters(): { readonly one: FakeCluster; readonly two: FakeCluster } {
  const istio: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system' } };
  return {
    one: fakeCluster({ uid: 'uid-1', objects: [istio, node('n1'), node('n2')] }),
    two: fakeCluster({ uid: 'uid-2', objects: [node('n1'), node('n2')] }),
  };
}

export interface InstallationOptions extends FakeSystemOptions {
  readonly clusters: Readonly<Record<'one' | 'two', FakeCluster>>;
  readonly index?: ReturnType<typeof releaseIndex> | ReturnType<typeof gatewayIndex>;
  readonly onChange?: (what: string) => void;
  readonly reconcile?: (cluster: FakeCluster) => void;
}

/** A System in whose /home/me/out the mesh lies, with a fake helm. */
export function installation({ index = releaseIndex(), onChange, ...options }: InstallationOptions): FakeSystem {
  const chartFiles = Object.keys(charts).map((folder) => [`${folder}/Chart.yaml`, 'name: x\n']);
  let system: FakeSystem | undefined;
  const now = () => system?.clock.now() ?? new Date(0);
  const helm = fakeHelm({
    clusters: options.clusters,
    charts,
    now,
    reconcile: options.reconcile ?? reconcile,
    ...(onChange === undefined ? {} : { onChange }),
  });
  system = fakeSystem({
    exec: helm,
    ...options,
    files: { [`${out}/releases.yaml`]: toYaml(index), ...Object.fromEntries(chartFiles), ...options.files },
  });
  return system;
}
