// Nodes: addresses, readiness, and which of them have a kernel to route on.
import type { KubeObject } from '../../src/base/objects.ts';
import type { NodeFacts } from '../../src/facts/schema.ts';
import { inspectObjects, loadFixture } from '../helpers/reader.ts';
import { assert, describe } from '../helpers/suite.ts';

const others = loadFixture('kindnet').filter(({ kind }) => kind !== 'Node' && kind !== 'Pod');
const calico: readonly KubeObject[] = [
  {
    apiVersion: 'crd.projectcalico.org/v1',
    kind: 'BlockAffinity',
    metadata: { name: 'b' },
    spec: { cidr: '10.244.0.0/26', node: 'n1', state: 'confirmed' },
  },
];

interface NodeOptions {
  readonly name?: string;
  readonly metadata?: object;
  readonly spec?: object;
  readonly addresses?: readonly (readonly [type: string, address: string])[];
  readonly ready?: string;
}

function node({
  name = 'n1',
  metadata = {},
  spec = {},
  addresses = [['InternalIP', '10.0.0.1']],
  ready = 'True',
}: NodeOptions): KubeObject {
  const status = { addresses: addresses.map(([type, address]) => ({ type, address })), conditions: [{ type: 'Ready', status: ready }] };
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, ...metadata }, spec, status };
}

async function inspectNode(options: NodeOptions, extra: readonly KubeObject[] = []): Promise<NodeFacts | undefined> {
  return (await inspectObjects([...others, ...extra, node(options)])).nodes[0];
}

describe('nodes', ({ test }) => {
  test('that are not ready are kept as such', async () => {
    for (const ready of ['False', 'Unknown']) assert.is((await inspectNode({ ready }))?.ready, false);
    assert.is((await inspectNode({}))?.ready, true);
  });

  test('being deleted are marked', async () => {
    assert.is((await inspectNode({ metadata: { deletionTimestamp: '2026-11-22T10:00:00Z' } }))?.deleting, true);
    assert.is((await inspectNode({}))?.deleting, false);
  });

  test('without an InternalIP have no address', async () => {
    const found = await inspectNode({
      addresses: [
        ['Hostname', 'n1'],
        ['ExternalIP', '8.8.8.8'],
      ],
    });

    assert.equal(found?.addresses, []);
  });

  test('with several InternalIPs keep them all in order', async () => {
    const found = await inspectNode({
      addresses: [
        ['InternalIP', '10.9.0.1'],
        ['InternalIP', '10.0.0.1'],
        ['InternalIP', 'fd00::1'],
      ],
    });

    assert.equal(
      found?.addresses.map(({ value }) => value),
      ['10.9.0.1', '10.0.0.1', 'fd00::1'],
    );
  });

  test("put Calico's own address first, with its subnet", async () => {
    const annotations = { 'projectcalico.org/IPv4Address': '10.5.0.1/24', 'projectcalico.org/IPv6Address': 'fd05::1/64' };

    const found = await inspectNode({ metadata: { annotations } }, calico);

    assert.equal(found?.addresses, [
      { value: '10.5.0.1', source: 'annotation projectcalico.org/IPv4Address' },
      { value: 'fd05::1', source: 'annotation projectcalico.org/IPv6Address' },
      { value: '10.0.0.1', source: 'InternalIP' },
    ]);
    assert.equal(found?.subnets, ['10.5.0.0/24', 'fd05::/64']);
  });

  test("have no subnet where Calico's address has a mask of its whole length", async () => {
    const found = await inspectNode({ metadata: { annotations: { 'projectcalico.org/IPv4Address': '10.5.0.1/32' } } }, calico);

    assert.equal(found?.subnets, []);
  });

  test('ignore annotations of a CNI that is not in use', async () => {
    const found = await inspectNode({ metadata: { annotations: { 'projectcalico.org/IPv4Address': '10.5.0.1/24' } } });

    assert.equal(found?.addresses, [{ value: '10.0.0.1', source: 'InternalIP' }]);
  });

  test('let the overwritten address of flannel win', async () => {
    const annotations = {
      'flannel.alpha.coreos.com/backend-type': 'host-gw',
      'flannel.alpha.coreos.com/public-ip': '10.0.0.1',
      'flannel.alpha.coreos.com/public-ip-overwrite': '10.7.0.1',
    };

    const found = await inspectNode({ metadata: { annotations } });

    assert.equal(
      found?.addresses.map(({ value }) => value),
      ['10.7.0.1', '10.0.0.1'],
    );
  });

  test('report addresses that are none', async () => {
    const facts = await inspectObjects([...others, node({ addresses: [['InternalIP', '10.0.0.01']] })]);

    assert.equal(facts.nodes[0]?.addresses, []);
    assert.ok(facts.problems.some(({ code, message }) => code === 'ISM008' && message.includes('n1 (InternalIP "10.0.0.01")')));
  });

  test('of Windows keep their system', async () => {
    assert.is((await inspectNode({ metadata: { labels: { 'kubernetes.io/os': 'windows' } } }))?.os, 'windows');
    assert.is((await inspectNode({ metadata: { labels: { 'beta.kubernetes.io/os': 'windows' } } }))?.os, 'windows');
    assert.is((await inspectNode({}))?.os, 'linux');
  });

  const virtual: readonly NodeOptions[] = [
    { metadata: { labels: { type: 'virtual-kubelet' } } },
    { metadata: { labels: { 'eks.amazonaws.com/compute-type': 'fargate' } } },
    { spec: { providerID: 'aws:///eu-west-1a/abc/fargate-ip-10-0-0-1' } },
  ];
  for (const options of virtual) {
    test(`with ${JSON.stringify(options)} are virtual`, async () => {
      assert.is((await inspectNode(options))?.virtual, true);
    });
  }

  test('may be absent, which is said by an empty list alone', async () => {
    const facts = await inspectObjects(others);

    assert.equal(facts.nodes, []);
    assert.is(facts.cni, undefined);
  });

  test('take the old single podCIDR where there is no list', async () => {
    const found = await inspectNode({ spec: { podCIDR: '10.244.7.0/24' } });

    assert.equal(found?.blocks, [{ cidr: '10.244.7.0/24', source: 'node.spec.podCIDRs' }]);
  });
});

describe('platform', ({ test }) => {
  const known: readonly (readonly [options: NodeOptions, platform: string])[] = [
    [{ spec: { providerID: 'azure:///subscriptions/x' } }, 'azure'],
    [{ spec: { providerID: 'gce://p/z/n' } }, 'gce'],
    [{ spec: { providerID: 'gce://p/z/n' }, metadata: { labels: { 'cloud.google.com/gke-nodepool': 'p' } } }, 'gke'],
    [{ spec: { providerID: 'ibm://1///2/3' } }, 'ibm'],
    [{ spec: { providerID: 'openstack:///u' } }, 'openstack'],
    [{ spec: { providerID: 'ocid1.instance.oc1.x' } }, 'oracle'],
    [{}, 'bare'],
  ];
  for (const [options, platform] of known) {
    test(`of ${JSON.stringify(options)} is ${platform}`, async () => {
      assert.is((await inspectObjects([...others, node(options)])).platform?.value, platform);
    });
  }
});
