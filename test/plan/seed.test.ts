// The two clusters of the 2018 procedure give exactly its routes and its load balancers.
import { planMesh } from '../../src/plan/mesh.ts';
import { clusterOf, codesOf, releaseOf, routeTexts, seed } from '../helpers/builders.ts';
import { assert, describe } from '../helpers/suite.ts';

describe('the plan of the clusters of 2018', ({ test }) => {
  test('has the routes of the procedure, both ways', () => {
    const plan = planMesh(seed());

    assert.equal(routeTexts(plan, 'cluster2'), [
      '10.1.43.0/26 via 9.111.255.29',
      '10.1.158.192/26 via 9.111.255.129',
      '10.1.198.128/26 via 9.111.255.21',
    ]);
    assert.equal(routeTexts(plan, 'cluster1'), [
      '20.1.31.128/26 via 9.111.255.152',
      '20.1.35.192/26 via 9.111.255.155',
      '20.1.47.128/26 via 9.111.255.77',
    ]);
  });

  test('has the five load balancers with the ports and addresses of the procedure', () => {
    const { services } = releaseOf(planMesh(seed()), 'cluster1', 'istio-ilb');

    const shown = services.map(({ name, ports, loadBalancerIP }) => [
      name,
      loadBalancerIP,
      ports.map(({ port, protocol }) => `${port}/${protocol}`).join(' '),
    ]);
    assert.equal(shown, [
      ['istio-pilot-ilb', '9.111.255.5', '15003/TCP 15005/TCP 15007/TCP 15010/TCP 15011/TCP 8080/TCP 9093/TCP'],
      ['istio-policy-ilb', '9.111.255.7', '9091/TCP 15004/TCP 9093/TCP'],
      ['istio-statsd-prom-bridge-ilb', '9.111.255.4', '9125/UDP'],
      ['zipkin-ilb', '9.111.255.3', '9411/TCP'],
      ['istio-citadel-ilb', '9.111.255.10', '8060/TCP 9093/TCP'],
    ]);
  });

  test('selects the pods of each component', () => {
    const { services } = releaseOf(planMesh(seed()), 'cluster1', 'istio-ilb');

    assert.equal(
      services.map(({ selector }) => selector),
      [
        { istio: 'pilot' },
        { istio: 'mixer', 'istio-mixer-type': 'policy' },
        { istio: 'statsd-prom-bridge' },
        { app: 'jaeger' },
        { istio: 'citadel' },
      ],
    );
  });

  test('gives the remote the addresses of the load balancers, and waits for nothing', () => {
    const { values, waitsFor } = releaseOf(planMesh(seed()), 'cluster2', 'istio-remote-classic');

    assert.equal(values.endpoints, { pilot: ['9.111.255.5'], policy: ['9.111.255.7'], statsd: ['9.111.255.4'], zipkin: ['9.111.255.3'] });
    assert.equal(waitsFor, []);
  });

  test('lets only the other cluster connect', () => {
    const [pilot] = releaseOf(planMesh(seed()), 'cluster1', 'istio-ilb').services;

    assert.equal(pilot?.sourceRanges, ['9.111.255.77/32', '9.111.255.152/32', '9.111.255.155/32', '20.1.0.0/16']);
  });

  test('names the remote secret like the cluster, as pilot of Istio 0.8 expects', () => {
    const [secret] = clusterOf(planMesh(seed()), 'cluster1').remoteSecrets;

    assert.equal(secret, {
      name: 'cluster2',
      namespace: 'istio-system',
      remote: 'cluster2',
      primary: 'cluster1',
      serviceAccount: 'istio-multi',
      tokenSecret: 'istio-multi-istio-remote-secret-token',
    });
  });

  test('takes the load balancers as internal, since they are beside the nodes, and has no error', () => {
    const plan = planMesh(seed());

    assert.equal(codesOf(plan), ['ISM007', 'ISM031', 'ISM046', 'ISM048', 'ISM076']);
    assert.not.ok(plan.findings.some((finding) => finding.severity === 'error'));
  });

  test('with a modern Istio has one load balancer, the annotation and the label', () => {
    const plan = planMesh(seed('1.30.3'));

    const { services } = releaseOf(plan, 'cluster1', 'istio-ilb');
    const remote = releaseOf(plan, 'cluster2', 'istio-remote');
    assert.equal(
      services.map(({ name, ports, selector }) => [name, ports.map(({ port }) => port), selector]),
      [['istiod-ilb', [15012, 15017], { app: 'istiod' }]],
    );
    assert.equal(remote.values.remotePilotAddresses, ['9.111.255.5']);
    assert.equal(clusterOf(plan, 'cluster2').namespaces[0], {
      name: 'istio-system',
      labels: { 'topology.istio.io/network': 'network1' },
      annotations: { 'topology.istio.io/controlPlaneClusters': 'cluster1' },
    });
  });

  test('waits for addresses where none are given', () => {
    const { mesh, inputs } = seed();
    const open = { ...mesh, clusters: mesh.clusters.map((cluster) => ({ ...cluster, loadBalancer: { annotations: {}, addresses: {} } })) };

    const { waitsFor, values } = releaseOf(planMesh({ mesh: open, inputs }), 'cluster2', 'istio-remote-classic');

    assert.equal(
      waitsFor,
      ['istio-pilot-ilb', 'istio-policy-ilb', 'istio-statsd-prom-bridge-ilb', 'zipkin-ilb'].map((name) => `address of ${name} in cluster1`),
    );
    assert.equal(values.endpoints, { pilot: [], policy: [], statsd: [] });
  });
});
