// The proof: live pods have addresses in the blocks of their node.
import type { KubeObject } from '../../src/base/objects.ts';
import type { ClusterFacts } from '../../src/facts/schema.ts';
import { inspectObjects, loadFixture } from '../helpers/reader.ts';
import { assert, describe } from '../helpers/suite.ts';

const kindnet = loadFixture('kindnet');

function pod(name: string, nodeName: string | undefined, podIP: string | undefined, phase = 'Running'): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name }, spec: { nodeName }, status: { podIP, phase } };
}

async function outside(...pods: readonly KubeObject[]): Promise<string | undefined> {
  return message(await inspectObjects([...kindnet, ...pods]));
}

function message(facts: ClusterFacts): string | undefined {
  return facts.problems.find(({ code }) => code === 'ISM038')?.message;
}

describe('proof of the blocks', ({ test }) => {
  test('finds a pod in the block of another node', async () => {
    assert.is(
      await outside(pod('lost', 'kind-worker', '10.244.0.9')),
      '1 pod has an address outside the blocks of its node: lost (10.244.0.9) on kind-worker',
    );
  });

  test('names three and counts all', async () => {
    const pods = [5, 3, 1, 2, 4].map((index) => pod(`p${index}`, 'kind-worker', `10.9.0.${index}`));

    assert.is(
      await outside(...pods),
      '5 pods have addresses outside the blocks of their node: p1 (10.9.0.1) on kind-worker, p2 (10.9.0.2) on kind-worker, p3 (10.9.0.3) on kind-worker and 2 more',
    );
  });

  const fine: readonly (readonly [what: string, object: KubeObject])[] = [
    ['in the block of its node', pod('a', 'kind-worker', '10.244.1.200')],
    ['on the host network', pod('a', 'kind-worker', '172.18.0.2')],
    ['that has finished', pod('a', 'kind-worker', '10.9.0.1', 'Succeeded')],
    ['that has failed', pod('a', 'kind-worker', '10.9.0.1', 'Failed')],
    ['without an address yet', pod('a', 'kind-worker', undefined, 'Pending')],
    ['without a node yet', pod('a', undefined, '10.9.0.1', 'Pending')],
    ['of a node that is unknown', pod('a', 'elsewhere', '10.9.0.1')],
  ];
  for (const [what, object] of fine) {
    test(`accepts a pod ${what}`, async () => {
      assert.is(await outside(object), undefined);
    });
  }

  test('covers borrowed addresses', async () => {
    assert.is(message(await inspectObjects(loadFixture('calico-primary'))), undefined);
  });

  test('does not apply to networks without blocks, nor to virtual nodes', async () => {
    const fargate = 'fargate-ip-10-50-2-30.eu-west-1.compute.internal';
    const eks = [...loadFixture('eks'), pod('f', fargate, '10.50.2.99')];

    assert.is(message(await inspectObjects(eks)), undefined);
    const virtual = kindnet.map((object) =>
      object.metadata.name === 'kind-worker'
        ? { ...object, metadata: { ...object.metadata, labels: { type: 'virtual-kubelet' } } }
        : object,
    );
    assert.is(message(await inspectObjects([...virtual, pod('v', 'kind-worker', '10.9.0.1')])), undefined);
  });
});
