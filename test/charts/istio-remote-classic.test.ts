// Chart istio-remote-classic: the common tests of a chart, what is mended in Istio's own, and what is refused.
import type { KubeObject } from '../../src/base/objects.ts';
import { IstioRemoteClassicValues } from '../../src/plan/values/istio-remote-classic.ts';
import { chartFolder, describeChart } from '../helpers/chart.ts';
import { objectOf, refusedByBoth, templateBoth } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';

const chart = chartFolder('istio-remote-classic');
/** The ILB addresses of the clusters that this procedure was first written down for. */
const endpoints = { pilot: ['9.111.255.5'], policy: ['9.111.255.7'], statsd: ['9.111.255.4'] };
const values = { clusterName: 'cluster2', endpoints };
const oldest = '1.10.0+icp-ee';

interface Port {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
}

interface Subset {
  readonly addresses: readonly { readonly ip: string }[];
  readonly ports: readonly Port[];
}

interface ServiceSpec {
  readonly ports: readonly Port[];
}

interface Workload {
  readonly selector: { readonly matchLabels: unknown };
  readonly template: {
    readonly spec: {
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
