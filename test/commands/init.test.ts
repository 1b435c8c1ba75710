// What isthmus init writes about Istio, from what runs in the primary.
import { initialIstio } from '../../src/commands/init.ts';
import type { ClusterFacts } from '../../src/facts/schema.ts';
import { assert, describe } from '../helpers/suite.ts';

type Revision = NonNullable<ClusterFacts['istio']>['revisions'][number];

const plain: Revision = { name: '', version: '1.29.1', selector: {}, readyPods: 1, env: {}, trustDomain: 'cluster.local' };

function proposed(revision: Partial<Revision>, version?: string) {
  const istio = { namespace: 'istio-system', revisions: [{ ...plain, ...revision }], injectionWebhooks: [] };
  const facts: ClusterFacts = {
    apiVersion: 'isthmus/v1',
    kind: 'ClusterFacts',
    cluster: 'a',
    origin: 'api',
    pools: [],
    nodes: [],
    services: [],
    problems: [],
    istio,
  };
  return initialIstio(facts, { name: 'shop', version });
}

describe('the Istio of a first mesh.yaml', ({ test }) => {
  test('has the version that runs, and nothing that is a default', () => {
    assert.equal(proposed({ hub: 'docker.io/istio', meshID: 'shop' }), { version: '1.29.1' });
  });

  test('has what a remote must have in common with its primary', () => {
    const found = { name: 'blue', hub: 'mirror.corp:5000/istio', meshID: 'mesh1', trustDomain: 'corp.example' };

    assert.equal(proposed(found), {
      version: '1.29.1',
      revision: 'blue',
      hub: 'mirror.corp:5000/istio',
      meshID: 'mesh1',
      trustDomain: 'corp.example',
    });
  });

  test('has the version that the user asks for', () => {
    assert.is(proposed({}, '1.30.3').version, '1.30.3');
    assert.match(initialIstio(undefined, { name: 'shop', version: undefined }).version, /^1\.\d+\.\d+$/);
  });
});
