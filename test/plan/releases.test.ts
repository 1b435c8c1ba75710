// Releases and their values: what each chart is given.
import { planMesh } from '../../src/plan/mesh.ts';
import { clusterOf, findingsOf, mesh, pair, planPair, releaseOf } from '../helpers/builders.ts';
import { assert, describe } from '../helpers/suite.ts';

describe('releases', ({ test }) => {
  test('come in the order of installation', () => {
    const plan = planPair();

    const order = plan.clusters.map(({ releases }) => releases.map(({ name, namespace }) => `${namespace}/${name}`));
    assert.equal(order, [
      ['istio-system/istio-ilb', 'isthmus-system/route-installer'],
      ['isthmus-system/route-installer', 'istio-system/istio-remote'],
    ]);
  });

  test('of routes carry guards for own pods, services, nodes and API server', () => {
    const plan = planPair({ one: { server: { value: 'https://192.168.9.9:6443', source: '' } } });

    assert.equal(releaseOf(plan, 'cluster1', 'route-installer').values.guard, {
      remotePodCIDRs: ['10.2.0.0/16'],
      localPodCIDRs: ['10.1.0.0/16'],
      serviceCIDRs: ['10.96.0.0/16'],
      nodeCIDRs: ['192.168.1.0/24', '192.168.9.9/32'],
    });
  });

  test('of routes follow mesh.yaml', () => {
    const routes = {
      protocol: 199,
      keeper: false,
      namespace: 'net',
      image: 'mirror.example:5000/tools/net:1@sha256:'.concat('a'.repeat(64)),
    };

    const release = releaseOf(planPair({ mesh: { routes } }), 'cluster1', 'route-installer');

    assert.is(release.namespace, 'net');
    assert.is(release.values.protocol, 199);
    assert.is(release.values.keeper.enabled, false);
    assert.equal(release.values.image, {
      registry: 'mirror.example:5000',
      repository: 'tools/net',
      tag: '1',
      digest: `sha256:${'a'.repeat(64)}`,
      pullPolicy: 'IfNotPresent',
    });
  });

  test("use Istio's own images, from where that version is published or from the hub of mesh.yaml", () => {
    const imageOf = (istio: object) => {
      const { registry, repository, tag } = releaseOf(planPair({ mesh: { istio } }), 'cluster1', 'route-installer').values.image;
      return `${registry}/${repository}:${tag}`;
    };

    assert.is(imageOf({ version: '1.30.3' }), 'registry.istio.io/release/proxyv2:1.30.3');
    assert.is(imageOf({ version: '1.29.1' }), 'docker.io/istio/proxyv2:1.29.1');
    assert.is(imageOf({ version: '0.8.0' }), 'docker.io/istio/proxyv2:0.8.0');
    assert.is(imageOf({ version: '1.30.3', hub: 'mirror:5000/istio' }), 'mirror:5000/istio/proxyv2:1.30.3');
    assert.is(imageOf({ version: '1.30.3', hub: 'istio' }), 'docker.io/istio/proxyv2:1.30.3');
  });

  test('are not planned for routes where the network carries pods', () => {
    const plan = planPair({ mesh: { routes: { provider: 'bgp' } } });

    assert.equal(
      plan.clusters.map(({ releases }) => releases.map(({ name }) => name)),
      [['istio-ilb'], ['istio-remote']],
    );
    assert.equal(clusterOf(plan, 'cluster1').namespaces[1], { name: 'isthmus-system', labels: {}, annotations: {} });
  });

  test('whose values no chart takes are left out, and the plan says which', () => {
    // loadMesh refuses such a network; a program that makes its mesh itself gets the finding.
    const wanted = mesh([
      { name: 'cluster1', context: 'c1' },
      { name: 'cluster2', context: 'c2' },
    ]);
    const plan = planMesh({
      mesh: { ...wanted, clusters: wanted.clusters.map((cluster) => ({ ...cluster, network: 'Net_1' })) },
      inputs: pair(),
    });

    assert.is(findingsOf(plan, 'ISM078')[0]?.severity, 'error');
    assert.is(findingsOf(plan, 'ISM078')[0]?.where, 'istio-remote network');
    assert.equal(
      clusterOf(plan, 'cluster2').releases.map(({ name }) => name),
      ['route-installer'],
    );
  });

  test('carry the UID of the cluster, which install compares', () => {
    assert.is(clusterOf(planPair(), 'cluster2').uid, 'uid-of-cluster2');
  });

  test('warn about very many routes', () => {
    const inputs = pair().map((input) => {
      if (input.name !== 'cluster2' || input.found === undefined) return input;
      // Every second /32, so that nothing can be joined.
      const blocks = Array.from({ length: 20_001 }, (_, n) => ({ cidr: `10.2.${(n * 2) >> 8}.${(n * 2) & 255}/32`, source: '' }));
      return { ...input, found: { ...input.found, nodes: input.found.nodes.slice(0, 1).map((one) => ({ ...one, blocks })) } };
    });

    const plan = planMesh({ mesh: mesh([{ name: 'cluster1' }, { name: 'cluster2' }]), inputs });

    assert.is(findingsOf(plan, 'ISM047')[0]?.message, 'Each node gets 20001 routes.');
    assert.is(findingsOf(plan, 'ISM047')[0]?.cluster, 'cluster1');
  });
});

describe('remote secrets', ({ test }) => {
  test('of a modern Istio are what istioctl would name them', () => {
    assert.equal(clusterOf(planPair(), 'cluster1').remoteSecrets, [
      {
        name: 'istio-remote-secret-cluster2',
        namespace: 'istio-system',
        remote: 'cluster2',
        primary: 'cluster1',
        server: 'https://cluster2.example:6443',
        serviceAccount: 'istio-reader-service-account',
        tokenSecret: 'istio-reader-service-account-istio-remote-secret-token',
      },
    ]);
  });

  test('take the API server that mesh.yaml names', () => {
    const plan = planPair({ remote: { apiServer: 'https://10.9.9.9:6443' } });

    assert.is(clusterOf(plan, 'cluster1').remoteSecrets[0]?.server, 'https://10.9.9.9:6443');
  });
});
