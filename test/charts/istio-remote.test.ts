// Chart istio-remote: the common tests of a chart, and how it treats names, addresses and what istiod relies on.
import { IstioRemoteValues } from '../../src/plan/values/istio-remote.ts';
import { chartFolder, describeChart } from '../helpers/chart.ts';
import { objectOf, refusedByBoth, templateBoth } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';

const chart = chartFolder('istio-remote');
const values = { clusterName: 'cluster2', network: 'network1', remotePilotAddresses: ['10.0.0.5'] };

interface Webhooks {
  readonly webhooks: readonly { readonly clientConfig: { readonly url?: string; readonly service?: Readonly<Record<string, unknown>> } }[];
}

interface Ports {
  readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort?: number }[];
}

describeChart({ name: 'istio-remote', schema: IstioRemoteValues, namespace: 'istio-system' });

describe('istio-remote', ({ test }) => {
  test('names the ports of Service and EndpointSlice alike, or no endpoint is ever used', async () => {
    const objects = await templateBoth(chart, { values });

    const service = objectOf(objects, 'Service', 'istiod')['spec'] as Ports;
    const slice = objectOf(objects, 'EndpointSlice', 'istiod') as unknown as Ports;
    const targets = service.ports.map(({ name, port, targetPort }) => ({ name, port: targetPort ?? port }));
    assert.equal(
      targets,
      slice.ports.map(({ name, port }) => ({ name, port })),
    );
  });

  test('gives each address an endpoint of its own, in the order they were given', async () => {
    const remotePilotAddresses = ['10.0.0.9', '10.0.0.5', '10.0.0.7'];

    const objects = await templateBoth(chart, { values: { ...values, remotePilotAddresses } });

    const slice = objectOf(objects, 'EndpointSlice', 'istiod');
    assert.equal(
      slice['endpoints'],
      remotePilotAddresses.map((address) => ({ addresses: [address] })),
    );
  });

  test('renders the same for the oldest Kubernetes it allows, and refuses the one before', async () => {
    const newest = await templateBoth(chart, { values });

    const oldest = await templateBoth(chart, { values, kubeVersion: '1.28.0' });
    const refusal = await refusedByBoth(chart, { values, kubeVersion: '1.27.16' });

    assert.equal(oldest, newest);
    assert.match(refusal, 'kubeVersion');
  });

  test('makes nothing but the webhook and the reader when the control plane is known by a URL', async () => {
    const webhook = { injectionURL: 'https://istiod.example.com' };

    const objects = await templateBoth(chart, { values: { clusterName: 'cluster2', webhook } });

    const kinds = objects.map(({ kind }) => kind);
    assert.equal(kinds, ['ClusterRole', 'ClusterRoleBinding', 'MutatingWebhookConfiguration', 'Secret', 'ServiceAccount']);
  });

  test('binds the role and the token to the account that was named', async () => {
    const objects = await templateBoth(chart, { values: { ...values, reader: { serviceAccount: 'mesh.reader' } }, namespace: 'mesh' });

    const subject = { kind: 'ServiceAccount', name: 'mesh.reader', namespace: 'mesh' };
    const secret = objectOf(objects, 'Secret', 'mesh.reader-istio-remote-secret-token');
    objectOf(objects, 'ServiceAccount', 'mesh.reader');
    assert.equal(objectOf(objects, 'ClusterRoleBinding', 'istio-reader-clusterrole-mesh')['subjects'], [subject]);
    assert.equal(secret.metadata.annotations, { 'kubernetes.io/service-account.name': 'mesh.reader' });
  });

  const urls: readonly (readonly [string, string])[] = [
    ['https://istiod.example.com', 'https://istiod.example.com/inject/cluster/cluster2/net/network1'],
    ['https://istiod.example.com/', 'https://istiod.example.com/inject/cluster/cluster2/net/network1'],
    ['https://10.0.0.5:15017', 'https://10.0.0.5:15017/inject/cluster/cluster2/net/network1'],
    ['https://istiod.example.com:443/inject/cluster/other', 'https://istiod.example.com:443/inject/cluster/other'],
  ];
  for (const [injectionURL, expected] of urls) {
    test(`calls ${expected} for ${injectionURL}, and keeps the Service for sidecars`, async () => {
      const objects = await templateBoth(chart, { values: { ...values, webhook: { injectionURL } } });

      const { webhooks } = objectOf(objects, 'MutatingWebhookConfiguration', 'istio-sidecar-injector') as unknown as Webhooks;
      objectOf(objects, 'Service', 'istiod');
      assert.equal(
        webhooks.map(({ clientConfig }) => clientConfig),
        new Array(4).fill({ url: expected }),
      );
    });
  }

  const names: readonly (readonly [string, string, string])[] = [
    ['no', 'null', '/inject/cluster/no/net/null'],
    ['1e3', '0x10', '/inject/cluster/1e3/net/0x10'],
    ['123', '1.5', '/inject/cluster/123/net/1.5'],
    ['team/a', 'vpc/b/c', '/inject/cluster/team--slash--a/net/vpc--slash--b--slash--c'],
    ['true', '', '/inject/cluster/true'],
  ];
  for (const [clusterName, network, path] of names) {
    test(`writes cluster ${clusterName} in network ${network === '' ? 'none' : network} as ${path}`, async () => {
      const objects = await templateBoth(chart, { values: { ...values, clusterName, network } });

      const { webhooks } = objectOf(objects, 'MutatingWebhookConfiguration', 'istio-sidecar-injector') as unknown as Webhooks;
      assert.is(webhooks[0]?.clientConfig.service?.['path'], path);
    });
  }

  for (const revision of ['no', '1e3', '007', 'y']) {
    test(`keeps revision ${revision} a string everywhere`, async () => {
      const objects = await templateBoth(chart, { values: { ...values, revision } });

      const service = objectOf(objects, 'Service', `istiod-${revision}`);
      const webhook = objectOf(objects, 'MutatingWebhookConfiguration', `istio-sidecar-injector-${revision}`);
      assert.is(service.metadata.labels?.['istio.io/rev'], revision);
      assert.is(webhook.metadata.labels?.['istio.io/rev'], revision);
      assert.match(JSON.stringify(webhook), `"values":["${revision}"]`);
    });
  }
});

describe('what istio-remote refuses', ({ test }) => {
  const bySchema: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
    ['no cluster name', { clusterName: undefined }, 'clusterName'],
    ['an empty cluster name', { clusterName: '' }, '/clusterName'],
    ['a cluster name with capitals', { clusterName: 'Cluster2' }, '/clusterName'],
    ['a cluster name with a quote', { clusterName: 'a"b' }, '/clusterName'],
    ['a cluster name with a line break', { clusterName: 'a\nb' }, '/clusterName'],
    ['a cluster name that ends in a line break', { clusterName: 'a\n' }, '/clusterName'],
    ['a cluster name with a brace', { clusterName: '{{ .Values }}' }, '/clusterName'],
    ['a number as cluster name', { clusterName: 1e3 }, '/clusterName'],
    ['a cluster name of 64 characters', { clusterName: 'a'.repeat(64) }, '/clusterName'],
    ['a network with an underscore', { network: 'vpc_east' }, '/network'],
    ['a network that leaves the path', { network: '../x' }, '/network'],
    ['a revision with a dot', { revision: '1.30' }, '/revision'],
    ['a revision that makes the Service name too long', { revision: 'r'.repeat(57) }, '/revision'],
    ['a host name as address', { remotePilotAddresses: ['istiod.example.com'] }, '/remotePilotAddresses/0'],
    ['an address with a port', { remotePilotAddresses: ['10.0.0.5:15012'] }, '/remotePilotAddresses/0'],
    ['an address with a leading zero', { remotePilotAddresses: ['10.0.0.05'] }, '/remotePilotAddresses/0'],
    ['a CIDR as address', { remotePilotAddresses: ['10.0.0.5/32'] }, '/remotePilotAddresses/0'],
    ['one address that is no list', { remotePilotAddresses: '10.0.0.5' }, '/remotePilotAddresses'],
    ['a plain http URL', { webhook: { injectionURL: 'http://istiod.example.com' } }, '/webhook/injectionURL'],
    ['a CA that is PEM', { webhook: { caBundle: '-----BEGIN' } }, '/webhook/caBundle'],
    ['an unknown failure policy', { webhook: { failurePolicy: 'fail' } }, '/webhook/failurePolicy'],
    ['a timeout over 30 seconds', { webhook: { timeoutSeconds: 31 } }, '/webhook/timeoutSeconds'],
    ['an account name with a slash', { reader: { serviceAccount: 'a/b' } }, '/reader/serviceAccount'],
    ['an unknown key', { remotePilotAddress: '10.0.0.5' }, 'remotePilotAddress'],
    ['an unknown key further in', { webhook: { injectionUrl: '' } }, 'injectionUrl'],
  ];
  for (const [what, change, where] of bySchema) {
    test(`${what}, by helm and by isthmus alike`, async () => {
      const bad = { ...values, ...change };

      const message = await refusedByBoth(chart, { values: bad });

      assert.match(message, where);
      assert.match(message, "values don't meet the specifications of the schema");
      assert.not.ok(IstioRemoteValues.safeParse(bad).success);
    });
  }

  const byTemplate: readonly (readonly [string, Readonly<Record<string, unknown>>, readonly string[]])[] = [
    ['no address and no URL', { remotePilotAddresses: [] }, ['remotePilotAddresses is empty', 'kubectl -n istio-system get service']],
    ['two families', { remotePilotAddresses: ['10.0.0.5', 'fd00::5'] }, ['mixes IPv4 and IPv6: 10.0.0.5, fd00::5']],
    ['a loopback address', { remotePilotAddresses: ['127.0.0.1'] }, ['"127.0.0.1"', 'loopback']],
    ['an IPv6 loopback address', { remotePilotAddresses: ['::1'] }, ['"::1"', 'loopback']],
    ['a link-local address', { remotePilotAddresses: ['169.254.1.1'] }, ['"169.254.1.1"', 'link-local']],
    ['an IPv6 link-local address', { remotePilotAddresses: ['fe80::1'] }, ['"fe80::1"', 'link-local']],
    ['a multicast address', { remotePilotAddresses: ['239.1.1.1'] }, ['"239.1.1.1"', 'multicast']],
    ['the unspecified address', { remotePilotAddresses: ['0.0.0.0'] }, ['"0.0.0.0"', 'unspecified']],
  ];
  for (const [what, change, texts] of byTemplate) {
    test(`${what}, saying what to set`, async () => {
      const message = await refusedByBoth(chart, { values: { ...values, ...change } });

      for (const text of texts) assert.match(message, text);
    });
  }

  test('a host name, saying what to set, even where the schema is skipped', async () => {
    const bad = { ...values, remotePilotAddresses: ['istiod.example.com'] };

    const message = await refusedByBoth(chart, { values: bad, args: ['--skip-schema-validation'] });

    assert.match(message, '"istiod.example.com", which is not an IP address');
    assert.match(message, 'webhook.injectionURL');
  });
});
