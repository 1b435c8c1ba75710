// Chart istio-remote-classic: the common tests of a chart, Istio 0.8's own list of objects, and what is mended in it.
import type { KubeObject } from '../../src/base/objects.ts';
import { IstioRemoteClassicValues } from '../../src/plan/values/istio-remote-classic.ts';
import { chartFolder, ciCases, describeChart } from '../helpers/chart.ts';
import { objectOf, refusedByBoth, templateBoth } from '../helpers/helm.ts';
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
  readonly selector: { readonly matchLabels: unknown };
  readonly template: {
    readonly metadata: { readonly labels: unknown; readonly annotations: unknown };
    readonly spec: {
      readonly serviceAccountName: string;
      readonly securityContext: Readonly<Record<string, unknown>>;
      readonly containers: readonly { readonly image: string; readonly args: readonly string[]; readonly securityContext: unknown }[];
    };
  };
}

describeChart({
  name: 'istio-remote-classic',
  schema: IstioRemoteClassicValues,
  namespace: 'istio-system',
  kubeVersions: ['1.34.0', '1.10.0'],
});

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

describe('istio-remote-classic', ({ test }) => {
  test('lets the reader read what pilot 0.8 watches, and nothing else', async () => {
    const objects = await templateBoth(chart, { values });

    const everything = ['endpoints', 'nodes', 'pods', 'services'].map((resource) => `${resource}: get list watch`);
    assert.equal(permissions(objectOf(objects, 'ClusterRole', 'istio-reader-istio-system')), everything);
  });

  test('adds zipkin where it is given', async () => {
    const objects = await templateBoth(chart, {
      values: { ...values, endpoints: { ...endpoints, zipkin: ['9.111.255.3'] } },
      kubeVersion: oldest,
    });

    const [subset] = objectOf(objects, 'Endpoints', 'zipkin')['subsets'] as readonly Subset[];
    const service = objectOf(objects, 'Service', 'zipkin')['spec'] as ServiceSpec;
    assert.equal(service.ports.map(portText), ['http 9411/TCP']);
    assert.equal(subset?.ports.map(portText), ['http 9411/TCP']);
    assert.equal(subset?.addresses, [{ ip: '9.111.255.3' }]);
  });

  test('keeps several addresses of a component, in the order they were given', async () => {
    const pilot = ['10.1.158.235', '10.1.158.234'];

    const several = { ...values, endpoints: { ...endpoints, pilot } };
    const [then, today] = await Promise.all([
      templateBoth(chart, { values: several, kubeVersion: oldest }),
      templateBoth(chart, { values: several }),
    ]);

    const [subset] = objectOf(then, 'Endpoints', 'istio-pilot')['subsets'] as readonly Subset[];
    const slice = objectOf(today, 'EndpointSlice', 'istio-pilot');
    assert.equal(
      subset?.addresses,
      pilot.map((ip) => ({ ip })),
    );
    assert.equal(
      slice['endpoints'],
      pilot.map((address) => ({ addresses: [address] })),
    );
  });

  test('sets no namespace on cluster-wide objects, and that of the release on all others', async () => {
    const objects = await templateBoth(chart, { values, namespace: 'mesh' });

    for (const { kind, metadata } of objects) assert.is(metadata.namespace, kind.startsWith('Cluster') ? undefined : 'mesh');
  });

  test('tells citadel where it keeps its CA when that is not istio-system', async () => {
    const objects = await templateBoth(chart, { values, namespace: 'mesh' });

    const { template } = objectOf(objects, 'Deployment', 'istio-citadel')['spec'] as Workload;
    assert.ok(template.spec.containers[0]?.args.includes('--citadel-storage-namespace=mesh'));
  });

  test('runs citadel without root, capabilities or a writable root, with seccomp where Kubernetes has the field', async () => {
    const today = await templateBoth(chart, { values });
    const then = await templateBoth(chart, { values, kubeVersion: oldest });

    const { selector, template } = objectOf(today, 'Deployment', 'istio-citadel')['spec'] as Workload;
    const old = (objectOf(then, 'Deployment', 'istio-citadel')['spec'] as Workload).template.spec;
    const user = { runAsNonRoot: true, runAsUser: 1337, fsGroup: 1337 };
    assert.equal(selector.matchLabels, { istio: 'citadel' });
    assert.equal(template.spec.securityContext, { ...user, seccompProfile: { type: 'RuntimeDefault' } });
    assert.equal(old.securityContext, user);
    assert.equal(template.spec.containers[0]?.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  const images: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
    [{ registry: 'mirror.example.com:5000', repository: 'istio/citadel', tag: '1e3' }, 'mirror.example.com:5000/istio/citadel:1e3'],
    [{ registry: '', repository: 'istio/citadel', tag: '0.8.0' }, 'istio/citadel:0.8.0'],
    [
      { registry: 'docker.io', repository: 'istio/citadel', tag: '0.8.0', digest: `sha256:${'a'.repeat(64)}` },
      `docker.io/istio/citadel@sha256:${'a'.repeat(64)}`,
    ],
  ];
  for (const [image, expected] of images) {
    test(`takes ${expected} for citadel`, async () => {
      const objects = await templateBoth(chart, { values: { ...values, citadel: { image } } });

      const { template } = objectOf(objects, 'Deployment', 'istio-citadel')['spec'] as Workload;
      assert.is(template.spec.containers[0]?.image, expected);
    });
  }

  for (const name of ['no', '1e3', '007', 'y']) {
    test(`keeps ${name} a string as name of the account, the namespace and a node label`, async () => {
      const odd = { ...values, reader: { serviceAccount: name }, citadel: { nodeSelector: { [name]: name } } };

      const objects = await templateBoth(chart, { values: odd, namespace: name });

      const subject = { kind: 'ServiceAccount', name, namespace: name };
      assert.equal(objectOf(objects, 'ClusterRoleBinding', `istio-reader-${name}`)['subjects'], [subject]);
      assert.match(JSON.stringify(objectOf(objects, 'Deployment', 'istio-citadel')), `"nodeSelector":{"${name}":"${name}"}`);
    });
  }

  test('has values for the load balancers of the first clusters among its ci files', () => {
    assert.ok(ciCases('istio-remote-classic').some(({ name }) => name === 'ilb'));
  });
});

describe('what istio-remote-classic refuses', ({ test }) => {
  const bySchema: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
    ['no endpoints', { endpoints: undefined }, 'endpoints'],
    ['no endpoint of policy', { endpoints: { pilot: ['1.2.3.4'], statsd: ['1.2.3.4'] } }, 'policy'],
    ['an empty list', { endpoints: { ...endpoints, pilot: [] } }, '/endpoints/pilot'],
    ["Istio's default, a host name", { endpoints: { ...endpoints, pilot: ['istio-pilot.istio-system'] } }, '/endpoints/pilot/0'],
    ['an address with a port', { endpoints: { ...endpoints, statsd: ['9.111.255.4:9125'] } }, '/endpoints/statsd/0'],
    ['one address that is no list', { endpoints: { ...endpoints, policy: '9.111.255.7' } }, '/endpoints/policy'],
    ['an unknown component', { endpoints: { ...endpoints, telemetry: ['1.2.3.4'] } }, 'telemetry'],
    ['a cluster name with a line break', { clusterName: 'a\nb' }, '/clusterName'],
    ['no cluster name', { clusterName: undefined }, 'clusterName'],
    ['a short digest', { citadel: { image: { registry: '', repository: 'a', tag: 'b', digest: 'sha256:abc' } } }, '/citadel/image/digest'],
    ['half a replica', { citadel: { replicas: 0.5 } }, '/citadel/replicas'],
    ['a pull secret that is a string', { imagePullSecrets: ['regcred'] }, '/imagePullSecrets/0'],
    ["Istio's own key", { global: {}, pilotEndpoint: '9.111.255.5' }, 'pilotEndpoint'],
  ];
  for (const [what, change, where] of bySchema) {
    test(`${what}, by helm and by isthmus alike`, async () => {
      const bad = { ...values, ...change };

      const message = await refusedByBoth(chart, { values: bad });

      assert.match(message, where);
      assert.match(message, "values don't meet the specifications of the schema");
      assert.not.ok(IstioRemoteClassicValues.safeParse(bad).success);
    });
  }

  const byTemplate: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['two families', ['9.111.255.5', 'fd00::5'], ['The endpoints of istio-pilot mix IPv4 and IPv6: 9.111.255.5, fd00::5']],
    ['a loopback address', ['127.0.0.1'], ['istio-pilot hold "127.0.0.1"', 'loopback']],
    ['a link-local address', ['fe80::1'], ['istio-pilot hold "fe80::1"', 'link-local']],
  ];
  for (const [what, pilot, texts] of byTemplate) {
    test(`${what}, saying what to set`, async () => {
      const message = await refusedByBoth(chart, { values: { ...values, endpoints: { ...endpoints, pilot } } });

      for (const text of texts) assert.match(message, text);
    });
  }

  test('a host name, saying what to set, even where the schema is skipped', async () => {
    const bad = { ...values, endpoints: { ...endpoints, policy: ['istio-policy.istio-system'] } };

    const message = await refusedByBoth(chart, { values: bad, args: ['--skip-schema-validation'] });

    assert.match(message, 'The endpoints of istio-policy hold "istio-policy.istio-system", which is not an IP address');
    assert.match(message, 'get service istio-policy-ilb');
  });

  test('Kubernetes before 1.10', async () => {
    const message = await refusedByBoth(chart, { values, kubeVersion: '1.9.11' });

    assert.match(message, 'kubeVersion');
  });
});

function portText({ name, port, protocol }: Port): string {
  return `${name} ${port}/${protocol}`;
}

function permissions(role: KubeObject): string[] {
  const rules = role['rules'] as readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
  return rules.flatMap(({ resources, verbs }) => resources.map((resource) => `${resource}: ${[...verbs].sort().join(' ')}`)).sort();
}
