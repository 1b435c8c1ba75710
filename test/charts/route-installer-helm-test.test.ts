// Tests that chart route-installer brings for helm test: where they run, and what they may do there.
import type { KubeObject } from '../../src/base/objects.ts';
import { maxJobNodes } from '../../src/plan/values/route-installer.ts';
import { chartFolder } from '../helpers/chart.ts';
import { template, templateBoth } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';

const chart = chartFolder('route-installer');
const values = {
  clusterName: 'c1',
  routes: [{ dst: '20.1.0.0/26', via: '10.0.7.2' }],
  guard: { remotePodCIDRs: ['20.1.0.0/16'] },
  nodes: ['n1', 'n2'],
};

interface Pod extends KubeObject {
  readonly spec: { readonly nodeName?: string; readonly affinity?: unknown; readonly containers: unknown };
}

function testPods(objects: readonly KubeObject[]): Pod[] {
  return objects.filter(({ kind }) => kind === 'Pod') as Pod[];
}

describe('helm test of route-installer', ({ test }) => {
  test('is a pod for each node, bound to it, that can change nothing and is no part of the keeper', async () => {
    const objects = await templateBoth(chart, { values: { ...values, nodes: ['n1', 'n2', 'n1'] } });

    const pods = testPods(objects);
    assert.equal(pods.map(({ metadata }) => metadata.annotations?.['isthmus/node']).sort(), ['n1', 'n2']);
    for (const { metadata, spec } of pods) {
      assert.is(metadata.annotations?.['helm.sh/hook'], 'test');
      assert.is(metadata.labels?.['app.kubernetes.io/component'], 'test');
      assert.match(JSON.stringify(spec.affinity), `["${metadata.annotations?.['isthmus/node']}"]`);
      assert.match(JSON.stringify(spec.containers), '"capabilities":{"drop":["ALL"]}');
      assert.match(JSON.stringify(spec.containers), '"command":["sh","/opt/isthmus/agent.sh","check"]');
    }
  });

  test('is there where there are Jobs', async () => {
    const many = Array.from({ length: maxJobNodes + 1 }, (_, index) => `n${index}`);

    for (const nodes of [[], many]) assert.equal(testPods(await template('helm4', chart, { values: { ...values, nodes } })), []);
  });

  test('is bound by name on a Kubernetes that knows no fields of a node', async () => {
    const pods = testPods(await template('helm4', chart, { values, kubeVersion: '1.10.0' }));

    assert.equal(pods.map(({ spec }) => spec.nodeName).sort(), ['n1', 'n2']);
    assert.not.ok(pods.some(({ spec }) => spec.affinity !== undefined));
  });
});
