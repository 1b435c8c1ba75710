// The order in which kubectl gets the objects of a bundle, and the marks by which helm knows them later.
import { asHelms, manifestName, type Phase, phaseOf } from '../../src/bundle/phases.ts';
import { remoteSecretOrder } from '../../src/render/types.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const release = { name: 'istio-remote', namespace: 'istio-system', cluster: 'cluster2' };

function object(kind: string, name = 'x', namespace: string | undefined = 'istio-system') {
  return { apiVersion: 'v1', kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
}

describe('phases of a bundle', ({ test }) => {
  const early = { order: 30 };
  const cases: readonly (readonly [kind: string, chart: Parameters<typeof phaseOf>[1]['chart'], order: number, phase: Phase])[] = [
    ['ServiceAccount', 'istio-remote', early.order, '20-rbac'],
    ['Secret', 'istio-remote', early.order, '60-mesh'],
    ['Secret', 'istio-reader', early.order, '30-config'],
    ['Service', 'istio-ilb', 10, '30-config'],
    ['Service', 'istio-remote', early.order, '60-mesh'],
    ['DaemonSet', 'route-installer', 20, '40-workloads'],
    ['Job', 'route-installer', 20, '50-jobs'],
    ['Deployment', 'istio-remote-classic', early.order, '60-mesh'],
    ['Deployment', 'istiod', 6, '40-workloads'],
    ['ValidatingWebhookConfiguration', 'istiod', 6, '55-validation'],
    ['ServiceAccount', 'eastwest-gateway', 10, '20-rbac'],
    ['Deployment', 'eastwest-gateway', 10, '70-gateways'],
    ['Deployment', 'eastwest-gateway', remoteSecretOrder + 5, '70-gateways'],
  ];

  for (const [kind, chart, order, phase] of cases)
    test(`put a ${kind} of ${chart} of order ${order} into ${phase}`, () => {
      assert.is(phaseOf(object(kind), { chart, order }), phase);
    });
});

describe('an object of a bundle', ({ test }) => {
  test("of Istio's own kinds stands apart, because a cluster without their definitions cannot be asked for it", () => {
    const gateway = { ...object('Gateway'), apiVersion: 'networking.istio.io/v1' };
    const ambient = { ...object('Gateway'), apiVersion: 'gateway.networking.k8s.io/v1' };

    assert.is(phaseOf(gateway, { chart: 'eastwest-gateway', order: 10 }), '80-routing');
    assert.is(phaseOf(ambient, { chart: 'eastwest-gateway', order: 10 }), '70-gateways');
  });

  test('is marked as that of the release, and keeps what it carries', () => {
    const given = { ...object('Service'), metadata: { ...object('Service').metadata, labels: { a: 'b' }, annotations: { c: 'd' } } };

    const { metadata } = asHelms(given, release);

    assert.equal(metadata.labels, { a: 'b', 'app.kubernetes.io/managed-by': 'Helm' });
    assert.equal(metadata.annotations, {
      c: 'd',
      'meta.helm.sh/release-name': 'istio-remote',
      'meta.helm.sh/release-namespace': 'istio-system',
    });
  });

  test('must say where it belongs, because kubectl would put it anywhere', async () => {
    const without = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' } };

    assert.match(String(await thrownBy(() => asHelms(without, release))), 'names no namespace');
    asHelms({ ...without, kind: 'ClusterRole' }, release);
  });

  test('gets a file name that every system takes', () => {
    assert.is(manifestName({ kind: 'ClusterRole', apiVersion: 'v1', metadata: { name: 'a:B' } }), 'clusterrole-a-b.yaml');
  });
});
