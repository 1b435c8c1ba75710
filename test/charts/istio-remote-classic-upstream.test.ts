// Chart istio-remote-classic against Istio's own 0.8 chart istio-remote: the same objects, ports and permissions.
import type { KubeObject } from '../../src/base/objects.ts';
import { chartFolder } from '../helpers/chart.ts';
import { objectOf, templateBoth } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';

const chart = chartFolder('istio-remote-classic');
/** The ILB addresses of the clusters that this procedure was first written down for. */
const endpoints = { pilot: ['9.111.255.5'], policy: ['9.111.255.7'], statsd: ['9.111.255.4'] };
const values = { clusterName: 'cluster2', endpoints };
const oldest = '1.10.0+icp-ee';

interface Component {
  readonly name: string;
  readonly address: string;
  readonly ports: readonly string[];
}

/** What Istio's chart istio-remote renders at tag 0.8.0: name and ports of each headless Service and of its Endpoints. */
const components: readonly Component[] = [
  {
    name: 'istio-pilot',
    address: '9.111.255.5',
    ports: [
      'http-old-discovery 15003/TCP',
      'https-discovery 15005/TCP',
      'http-discovery 15007/TCP',
      'grpc-xds 15010/TCP',
      'https-xds 15011/TCP',
      'http-legacy-discovery 8080/TCP',
      'http-monitoring 9093/TCP',
    ],
  },
  {
    name: 'istio-policy',
    address: '9.111.255.7',
    ports: [
      'grpc-mixer 9091/TCP',
      'grpc-mixer-mtls 15004/TCP',
      'http-monitoring 9093/TCP',
      'configapi 9094/TCP',
      'statsd-prom 9102/TCP',
      'statsd-udp 9125/UDP',
      'prometheus 42422/TCP',
    ],
  },
  { name: 'istio-statsd-prom-bridge', address: '9.111.255.4', ports: ['statsd-prom 9102/TCP', 'statsd-udp 9125/UDP'] },
];

/** All objects of that chart, and with a plus those that ours adds. */
const objectList = [
  'ClusterRole istio-citadel-istio-system',
  '+ClusterRole istio-reader-istio-system',
  'ClusterRoleBinding istio-citadel-istio-system',
  '+ClusterRoleBinding istio-reader-istio-system',
  'Deployment istio-system/istio-citadel',
  'Endpoints istio-system/istio-pilot',
  'Endpoints istio-system/istio-policy',
  'Endpoints istio-system/istio-statsd-prom-bridge',
  '+Secret istio-system/istio-multi-istio-remote-secret-token',
  'Service istio-system/istio-citadel',
  'Service istio-system/istio-pilot',
  'Service istio-system/istio-policy',
  'Service istio-system/istio-statsd-prom-bridge',
  'ServiceAccount istio-system/istio-citadel-service-account',
  '+ServiceAccount istio-system/istio-multi',
];

interface Port {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
}

interface Subset {
  readonly addresses: readonly { readonly ip: string }[];
  readonly ports: readonly Port[];
}

interface Slice {
  readonly addressType: string;
  readonly endpoints: unknown;
  readonly ports: readonly Port[];
}

interface ServiceSpec {
  readonly clusterIP?: string;
  readonly selector?: unknown;
  readonly ports: readonly Port[];
}

interface Workload {
  readonly replicas: number;
  readonly template: {
    readonly metadata: { readonly labels: unknown; readonly annotations: unknown };
    readonly spec: {
      readonly serviceAccountName: string;
      readonly containers: readonly { readonly image: string; readonly args: readonly string[] }[];
    };
  };
}

describe("istio-remote-classic and Istio's own 0.8 chart", ({ test }) => {
  for (const [kubeVersion, endpointsKind] of [
    [oldest, 'Endpoints'],
    ['1.32.9', 'Endpoints'],
    ['1.33.0', 'EndpointSlice'],
    ['1.34.0', 'EndpointSlice'],
  ] as const) {
    test(`make the same objects, but for the reader, with ${endpointsKind} on Kubernetes ${kubeVersion}`, async () => {
      const objects = await templateBoth(chart, { values, kubeVersion });

      const names = objects.map(
        ({ kind, metadata: { namespace, name } }) => `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`,
      );
      assert.equal(names, objectList.map((name) => name.replace('+', '').replace(/^Endpoints /, `${endpointsKind} `)).sort());
    });
  }

  for (const { name, address, ports } of components) {
    test(`give ${name} the same ports in Service and Endpoints, and the address of its ILB`, async () => {
      const objects = await templateBoth(chart, { values, kubeVersion: oldest });

      const service = objectOf(objects, 'Service', name)['spec'] as ServiceSpec;
      const subsets = objectOf(objects, 'Endpoints', name)['subsets'] as readonly Subset[];
      assert.is(service.clusterIP, 'None');
      assert.is(service.selector, undefined);
      assert.equal(service.ports.map(portText), ports);
      assert.is(subsets.length, 1);
      assert.equal(subsets[0]?.addresses, [{ ip: address }]);
      assert.equal(subsets[0]?.ports.map(portText), ports);
    });

    test(`give ${name} an EndpointSlice that says the same to Kubernetes of today`, async () => {
      const objects = await templateBoth(chart, { values });

      const slice = objectOf(objects, 'EndpointSlice', name) as unknown as KubeObject & Slice;
      assert.is(slice.metadata.labels?.['kubernetes.io/service-name'], name);
      assert.is(slice.addressType, 'IPv4');
      assert.equal(slice.endpoints, [{ addresses: [address] }]);
      assert.equal(slice.ports.map(portText), ports);
    });
  }

  test('run citadel alike', async () => {
    const objects = await templateBoth(chart, { values });

    const { replicas, template } = objectOf(objects, 'Deployment', 'istio-citadel')['spec'] as Workload;
    const service = objectOf(objects, 'Service', 'istio-citadel')['spec'] as ServiceSpec;
    const [container] = template.spec.containers;
    assert.is(replicas, 1);
    assert.is(template.spec.serviceAccountName, 'istio-citadel-service-account');
    assert.equal(template.metadata.annotations, { 'sidecar.istio.io/inject': 'false' });
    assert.equal(container?.args, ['--append-dns-names=true', '--grpc-port=8060', '--grpc-hostname=citadel', '--self-signed-ca=true']);
    assert.is(container?.image, 'docker.io/istio/citadel:0.8.0');
    assert.equal(service.selector, { istio: 'citadel' });
    assert.equal(template.metadata.labels, { istio: 'citadel' });
    assert.equal(service.ports.map(portText), ['grpc-citadel 8060/TCP', 'http-monitoring 9093/TCP']);
  });

  test('let citadel do the same', async () => {
    const objects = await templateBoth(chart, { values });

    assert.equal(permissions(objectOf(objects, 'ClusterRole', 'istio-citadel-istio-system')), [
      'secrets: create delete get list update watch',
      'serviceaccounts: get list watch',
      'services: get list watch',
    ]);
    assert.equal(objectOf(objects, 'ClusterRoleBinding', 'istio-citadel-istio-system')['subjects'], [
      { kind: 'ServiceAccount', name: 'istio-citadel-service-account', namespace: 'istio-system' },
    ]);
  });
});

function portText({ name, port, protocol }: Port): string {
  return `${name} ${port}/${protocol}`;
}

function permissions(role: KubeObject): string[] {
  const rules = role['rules'] as readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
  return rules.flatMap(({ resources, verbs }) => resources.map((resource) => `${resource}: ${[...verbs].sort().join(' ')}`)).sort();
}
