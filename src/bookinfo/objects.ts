// BookInfo over two clusters as objects: everything but reviews-v3 in the primary, reviews-v3 in the remote, as in the original procedure.
import type { KubeObject } from '../base/objects.ts';

export interface BookinfoOptions {
  readonly namespace: string;
  /** Registry and path of BookInfo's images. */
  readonly hub: string;
  /** Tag of BookInfo's images. */
  readonly tag: string;
  /** Revision of the control plane; empty for the default one. */
  readonly revision: string;
  /** Names of the clusters, which reviews repeats in its answers. */
  readonly primary: string;
  readonly remote: string;
  /** Whether the second cluster has an istiod of its own, which then reads its configuration there. */
  readonly remoteIsPrimary?: boolean;
}

/** Which clusters' reviews answer: in parts of a hundred by version. */
export type Shares = Readonly<Record<'v1' | 'v3', number>>;

const port = 9080;
const gatewayName = 'bookinfo-gateway';

/** Name and port of the Service through which requests come in. */
export const entrance = `${gatewayName}:http`;

/** The namespace, with the label that asks for sidecars. */
export function bookinfoNamespace({ namespace, revision }: BookinfoOptions): KubeObject {
  const labels: Record<string, string> = revision === '' ? { 'istio-injection': 'enabled' } : { 'istio.io/rev': revision };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } };
}

/** Objects of the primary, in the order in which they are applied. */
export function primaryObjects(options: BookinfoOptions): KubeObject[] {
  const names = ['details', 'ratings', 'reviews', 'productpage'];
  const workloads: readonly (readonly [string, string])[] = [
    ['details', 'v1'],
    ['ratings', 'v1'],
    ['reviews', 'v1'],
    ['reviews', 'v2'],
    ['productpage', 'v1'],
  ];
  return [
    ...names.flatMap((name) => [service(options, name), account(options, name)]),
    ...workloads.map(([name, version]) => workload(options, { name, version, cluster: options.primary })),
    ...gatewayObjects(options),
    destinationRule(options),
  ];
}

/** Objects of the remote: reviews-v3, and the Services whose names its pods and those of the primary look up. */
export function remoteObjects(options: BookinfoOptions): KubeObject[] {
  return [
    service(options, 'ratings'),
    service(options, 'reviews'),
    account(options, 'reviews'),
    workload(options, { name: 'reviews', version: 'v3', cluster: options.remote }),
    // The gateway of the cluster must know the versions by which the other one asks for reviews.
    ...(options.remoteIsPrimary === true ? [destinationRule(options)] : []),
  ];
}

/** The VirtualService that divides the requests to reviews. */
export function reviewsRoute({ namespace }: BookinfoOptions, shares: Shares): KubeObject {
  const route = Object.entries(shares)
    .filter(([, weight]) => weight > 0)
    .map(([subset, weight]) => ({ destination: { host: 'reviews', subset }, weight }));
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'reviews', namespace },
    spec: { hosts: ['reviews'], http: [{ route }] },
  };
}

function service({ namespace }: BookinfoOptions, name: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels: { app: name, service: name } },
    spec: { selector: { app: name }, ports: [{ name: 'http', port }] },
  };
}

function account({ namespace }: BookinfoOptions, name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: accountName(name), namespace } };
}

function accountName(name: string): string {
  return `bookinfo-${name}`;
}

interface Workload {
  readonly name: string;
  readonly version: string;
  readonly cluster: string;
}

function workload(options: BookinfoOptions, { name, version, cluster }: Workload): KubeObject {
  const container = {
    name,
    image: `${options.hub}/examples-bookinfo-${name}-${version}:${options.tag}`,
    imagePullPolicy: 'IfNotPresent',
    env: [
      { name: 'LOG_DIR', value: '/tmp/logs' },
      { name: 'CLUSTER_NAME', value: cluster },
    ],
    ports: [{ containerPort: port }],
    volumeMounts: [
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'wlp-output', mountPath: '/opt/ibm/wlp/output' },
    ],
  };
  const volumes = ['tmp', 'wlp-output'].map((volume) => ({ name: volume, emptyDir: {} }));
  const spec = { serviceAccountName: accountName(name), containers: [container], volumes };
  return deployment(options, { name: `${name}-${version}`, labels: { app: name, version }, spec });
}

/** A gateway of its own, injected like a sidecar, so that the demo asks nothing of what is installed. */
function gatewayObjects(options: BookinfoOptions): KubeObject[] {
  const { namespace, revision } = options;
  const labels = {
    app: gatewayName,
    istio: gatewayName,
    'sidecar.istio.io/inject': 'true',
    ...(revision === '' ? {} : { 'istio.io/rev': revision }),
  };
  const securityContext = {
    runAsUser: 1337,
    runAsGroup: 1337,
    runAsNonRoot: true,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  };
  const ports = [{ containerPort: 8080 }];
  const container = { name: 'istio-proxy', image: 'auto', imagePullPolicy: 'IfNotPresent', securityContext, ports };
  const spec = { containers: [container], terminationGracePeriodSeconds: 5 };
  const annotations = { 'inject.istio.io/templates': 'gateway' };
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: gatewayName, namespace, labels: { app: gatewayName } },
      spec: { selector: { istio: gatewayName }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    },
    deployment(options, { name: gatewayName, labels, annotations, spec }),
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'Gateway',
      metadata: { name: 'bookinfo', namespace },
      spec: { selector: { istio: gatewayName }, servers: [{ port: { number: 8080, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }] },
    },
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'bookinfo', namespace },
      spec: { hosts: ['*'], gateways: ['bookinfo'], http: [{ route: [{ destination: { host: 'productpage', port: { number: port } } }] }] },
    },
  ];
}

function destinationRule({ namespace }: BookinfoOptions): KubeObject {
  const subsets = ['v1', 'v2', 'v3'].map((version) => ({ name: version, labels: { version } }));
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: 'reviews', namespace },
    spec: { host: 'reviews', subsets },
  };
}

interface Deployed {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec: unknown;
}

function deployment({ namespace }: BookinfoOptions, { name, labels, annotations, spec }: Deployed): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels, ...(annotations === undefined ? {} : { annotations }) }, spec },
    },
  };
}
