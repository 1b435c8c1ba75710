import { renderDemoMesh } from '../../src/render/demo.ts';
import { loadMesh } from '../../src/spec/load.ts';
import { repositoryTemplates } from '../helpers/render.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const templates = repositoryTemplates();

function demo(version: string) {
  return loadMesh(renderDemoMesh(templates, version), 'mesh.yaml', '.').mesh;
}

describe('the mesh file of the demo', ({ test }) => {
  test('has the five load balancers of 2018 for Istio 0.8', () => {
    assert.equal(demo('0.8.0').clusters[0]?.loadBalancer.addresses, {
      'istio-pilot-ilb': '9.111.255.5',
      'istio-policy-ilb': '9.111.255.7',
      'istio-statsd-prom-bridge-ilb': '9.111.255.4',
      'zipkin-ilb': '9.111.255.3',
      'istio-citadel-ilb': '9.111.255.10',
    });
  });

  test('has one for istiod with Istio of today', () => {
    assert.equal(demo('1.30.3').clusters[0]?.loadBalancer.addresses, { 'istiod-ilb': '9.111.255.5' });
    assert.is(demo('1.30.3').istio.version, '1.30.3');
  });

  test('names the six nodes, each with a blackhole line of its own block', () => {
    const nodes = demo('0.8.0').clusters.flatMap((cluster) => cluster.nodes ?? []);

    const blocks = nodes.map(({ name, routes }) => [name, /^blackhole (\S+)/m.exec(routes ?? '')?.[1]]);

    assert.equal(blocks, [
      ['9.111.255.21', '10.1.198.128/26'],
      ['9.111.255.129', '10.1.158.192/26'],
      ['9.111.255.29', '10.1.43.0/26'],
      ['9.111.255.77', '20.1.47.128/26'],
      ['9.111.255.155', '20.1.35.192/26'],
      ['9.111.255.152', '20.1.31.128/26'],
    ]);
  });

  test('is refused for what is no version', async () => {
    for (const version of ['1.30', 'latest', '1.30.3\nclusters: []', ''])
      assert.match(((await thrownBy(() => renderDemoMesh(templates, version))) as Error).message, 'not a full version');
  });
});
