// Which CNI is recognised, and what each says about encapsulation, pod CIDRs and masquerading.
import type { KubeObject } from '../../../src/base/objects.ts';
import type { ClusterFacts } from '../../../src/facts/schema.ts';
import { inspectObjects, loadFixture } from '../../helpers/reader.ts';
import { assert, describe } from '../../helpers/suite.ts';

/** The objects of a fixture with some fields of the spec of one kind replaced. */
function withSpec(objects: readonly KubeObject[], kind: string, spec: object): KubeObject[] {
  return objects.map((object) => (object.kind === kind ? { ...object, spec: { ...(object['spec'] as object), ...spec } } : object));
}

function withNodeMetadata(
  objects: readonly KubeObject[],
  metadata: { annotations?: Record<string, string>; labels?: Record<string, string> },
): KubeObject[] {
  return objects.map((object) => {
    if (object.kind !== 'Node') return object;
    const { annotations, labels } = object.metadata;
    return {
      ...object,
      metadata: { ...object.metadata, annotations: { ...annotations, ...metadata.annotations }, labels: { ...labels, ...metadata.labels } },
    };
  });
}

function withConfig(objects: readonly KubeObject[], data: Record<string, string>): KubeObject[] {
  return objects.map((object) => (object.metadata.name === 'cilium-config' ? { ...object, data } : object));
}

function daemonSet(namespace: string, name: string): KubeObject {
  return { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { namespace, name } };
}

function blocksOf(facts: ClusterFacts): string[] {
  return facts.nodes.flatMap((node) => node.blocks.map((block) => `${node.name} ${block.cidr}`));
}

/** The API server knows the kind, and there is no object of it. */
const noAffinities = { answer: { '/apis/crd.projectcalico.org/v1/blockaffinities': [] } };

const icp = loadFixture('icp-cluster1');
const cilium = loadFixture('cilium');
const k3s = loadFixture('k3s');
const kindnet = loadFixture('kindnet').filter(({ kind }) => kind !== 'DaemonSet');

describe('Calico', ({ test }) => {
  const modes: readonly (readonly [spec: object, encapsulation: string])[] = [
    [{ ipipMode: 'Never', vxlanMode: 'Never' }, 'none'],
    [{ ipipMode: 'CrossSubnet' }, 'ipip-cross-subnet'],
    [{ ipipMode: 'Never', vxlanMode: 'Always' }, 'vxlan'],
  ];
  for (const [spec, encapsulation] of modes) {
    test(`with ${JSON.stringify(spec)} wraps traffic by ${encapsulation}`, async () => {
      assert.is((await inspectObjects(withSpec(icp, 'IPPool', spec))).cni?.value.encapsulation, encapsulation);
    });
  }

  test('reads the route protocol of Felix and WireGuard', async () => {
    const felix = {
      apiVersion: 'crd.projectcalico.org/v1',
      kind: 'FelixConfiguration',
      metadata: { name: 'default' },
      spec: { deviceRouteProtocol: 99, wireguardEnabled: true },
    };

    const facts = await inspectObjects([...icp, felix]);

    assert.equal(facts.felixProtocol, { value: 99, source: 'FelixConfiguration default deviceRouteProtocol' });
    assert.is(facts.cni?.value.encapsulation, 'ipip, wireguard');
  });

  test('counts a disabled pool only while it holds blocks of this cluster', async () => {
    const facts = await inspectObjects(withSpec(icp, 'IPPool', { disabled: true }));

    assert.equal(facts.podCIDRs?.value, ['10.1.0.0/16']);
    const primary = await inspectObjects(loadFixture('calico-primary'));
    assert.equal(primary.podCIDRs?.value, ['10.244.0.0/16']);
    assert.equal(
      primary.pools.map(({ cidr, disabled }) => `${cidr} ${disabled}`),
      ['10.244.0.0/16 false', '10.245.0.0/16 true', '10.10.9.0/24 false'],
    );
  });

  test('behind its aggregated API server is read from the classic group', async () => {
    const view = {
      apiVersion: 'projectcalico.org/v3',
      kind: 'IPPool',
      metadata: { name: 'default-ipv4-ippool' },
      spec: { cidr: '10.1.0.0/16' },
    };

    const facts = await inspectObjects([...icp, view]);

    assert.is(facts.cni?.source, 'crd.projectcalico.org/v1 BlockAffinity');
    assert.is(blocksOf(facts).length, 3);
  });

  test('that moved to the new group is read from there', async () => {
    const moved = icp
      .filter(({ kind }) => kind === 'BlockAffinity' || kind === 'IPAMBlock')
      .map((object) => ({ ...object, apiVersion: 'projectcalico.org/v3' }));

    assert.is((await inspectObjects([...icp, ...moved])).cni?.source, 'projectcalico.org/v3 BlockAffinity');
  });

  test('for policy only leaves the blocks to flannel', async () => {
    const pool = icp.filter(({ kind }) => kind === 'IPPool');

    const facts = await inspectObjects([...k3s, ...pool], noAffinities);

    assert.is(facts.cni?.value.name, 'flannel');
    assert.equal(blocksOf(facts), ['k3s-a 10.42.0.0/24', 'k3s-b 10.42.1.0/24']);
  });

  test('with pools and no block yet has no blocks rather than those of Kubernetes', async () => {
    const facts = await inspectObjects([...kindnet, ...icp.filter(({ kind }) => kind === 'IPPool')], noAffinities);

    assert.is(facts.cni?.value.name, 'calico');
    assert.equal(blocksOf(facts), []);
  });

  test('says once when node.spec.podCIDRs differ, and its blocks win', async () => {
    const facts = await inspectObjects(withSpec(icp, 'Node', { podCIDRs: ['10.1.0.0/24'] }));

    assert.equal(
      facts.problems.filter(({ code }) => code === 'ISM033').map(({ message }) => message),
      [
        'The CNI gave other pod blocks than node.spec.podCIDRs says to 9.111.255.129, 9.111.255.21, 9.111.255.29; the blocks of the CNI are used',
      ],
    );
    assert.ok(blocksOf(facts).includes('9.111.255.29 10.1.43.0/26'));
  });

  test('inside node.spec.podCIDRs is no disagreement', async () => {
    const facts = await inspectObjects(withSpec(icp, 'Node', { podCIDRs: ['10.1.0.0/16'] }));

    assert.not.ok(facts.problems.some(({ code }) => code === 'ISM033'));
  });
});

describe('Cilium', ({ test }) => {
  test('in a tunnel is not flat', async () => {
    for (const data of [{}, { 'routing-mode': 'tunnel', 'tunnel-protocol': 'vxlan' }, { tunnel: 'vxlan' }]) {
      const facts = await inspectObjects(withConfig(cilium, data));

      assert.equal(facts.cni?.value, { name: 'cilium', encapsulation: 'vxlan', flat: false });
    }
  });

  test('before 1.14 says native routing as a disabled tunnel', async () => {
    const facts = await inspectObjects(withConfig(cilium, { tunnel: 'disabled', 'native-routing-cidr': '10.0.0.0/8' }));

    assert.equal(facts.cni?.value, { name: 'cilium', encapsulation: 'none', flat: true });
    assert.equal(facts.natExemptCIDRs?.value, ['10.0.0.0/8']);
  });

  test('without masquerading exempts everything', async () => {
    const facts = await inspectObjects(withConfig(cilium, { 'routing-mode': 'native', 'enable-ipv4-masquerade': 'false' }));

    assert.equal(facts.natExemptCIDRs?.value, ['0.0.0.0/0']);
  });

  test('tells its encryption', async () => {
    const facts = await inspectObjects(withConfig(cilium, { 'routing-mode': 'native', 'enable-wireguard': 'true' }));

    assert.is(facts.cni?.value.encapsulation, 'wireguard');
  });

  test('in multi-pool mode has several blocks a node and its pools as pod CIDRs', async () => {
    const pools = { ipam: { pools: { allocated: [{ pool: 'a', cidrs: ['10.31.0.0/27', '10.31.0.64/27'] }] } } };
    const pool = {
      apiVersion: 'cilium.io/v2alpha1',
      kind: 'CiliumPodIPPool',
      metadata: { name: 'a' },
      spec: { ipv4: { cidrs: ['10.31.0.0/16'] } },
    };
    const objects = withConfig(withSpec(cilium, 'CiliumNode', pools), { ipam: 'multi-pool', 'routing-mode': 'native' });

    const facts = await inspectObjects([...objects.filter(({ metadata }) => metadata.name !== 'ci-2'), pool]);

    assert.equal(blocksOf(facts), ['ci-1 10.31.0.0/27', 'ci-1 10.31.0.64/27']);
    assert.equal(facts.podCIDRs, { value: ['10.31.0.0/16'], source: 'CiliumPodIPPool a' });
  });

  test('in Kubernetes mode has the blocks of Kubernetes', async () => {
    const objects = withConfig(withSpec(cilium, 'Node', { podCIDRs: ['10.33.0.0/24'] }), { ipam: 'kubernetes', 'routing-mode': 'native' });

    assert.equal(blocksOf(await inspectObjects(objects)), ['ci-1 10.33.0.0/24', 'ci-2 10.33.0.0/24']);
  });

  test("on a cloud's own addresses is that cloud's network", async () => {
    const facts = await inspectObjects(withConfig(cilium, { ipam: 'eni' }));

    assert.is(facts.cni?.value.name, 'aws');
    assert.equal(blocksOf(facts), []);
  });
});

describe('flannel', ({ test }) => {
  test('with host-gw wraps nothing, and its configuration names the pod CIDRs', async () => {
    const conf = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'kube-flannel', name: 'kube-flannel-cfg' },
      data: { 'net-conf.json': '{"Network": "10.42.0.0/16", "Backend": {"Type": "host-gw"}}' },
    };
    const objects = withNodeMetadata(
      k3s.map((object) => (object.kind === 'Node' ? { ...object, spec: { ...(object['spec'] as object), providerID: '' } } : object)),
      {
        annotations: { 'flannel.alpha.coreos.com/backend-type': 'host-gw' },
      },
    ).map((object) => (object.kind === 'Node' ? { ...object, status: { ...(object['status'] as object), nodeInfo: {} } } : object));

    const facts = await inspectObjects([...objects, conf]);

    assert.equal(facts.cni?.value, { name: 'flannel', encapsulation: 'none', flat: true });
    assert.equal(facts.podCIDRs, { value: ['10.42.0.0/16'], source: 'ConfigMap kube-flannel/kube-flannel-cfg net-conf.json' });
  });

  test('reports configuration that is no JSON', async () => {
    const conf = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'kube-flannel', name: 'kube-flannel-cfg' },
      data: { 'net-conf.json': '{' },
    };
    const objects = withNodeMetadata(kindnet, { annotations: { 'flannel.alpha.coreos.com/backend-type': 'vxlan' } });

    const facts = await inspectObjects([...objects, conf]);

    assert.ok(facts.problems.some(({ code, where }) => code === 'ISM008' && where?.includes('kube-flannel-cfg')));
    assert.equal(facts.podCIDRs?.value, ['10.244.0.0/16']);
  });
});

describe('other networks', ({ test }) => {
  const named: readonly (readonly [daemonSet: string, name: string, flat: boolean])[] = [
    ['kube-router', 'kube-router', true],
    ['antrea-agent', 'antrea', true],
    ['weave-net', 'weave', false],
    ['aws-node', 'aws', true],
    ['azure-cns', 'azure', true],
    ['something', 'unknown', true],
  ];
  for (const [found, name, flat] of named) {
    test(`with DaemonSet ${found} are ${name}`, async () => {
      const facts = await inspectObjects([...kindnet, daemonSet('kube-system', found)]);

      assert.is(facts.cni?.value.name, name);
      assert.is(facts.cni?.value.flat, flat);
    });
  }

  test('on Azure in overlay mode are not flat', async () => {
    const objects = withNodeMetadata([...kindnet, daemonSet('kube-system', 'azure-cns')], {
      labels: { 'kubernetes.azure.com/podnetwork-type': 'overlay' },
    });

    assert.equal((await inspectObjects(objects)).cni?.value, { name: 'azure', encapsulation: 'azure-overlay', flat: false });
  });

  test('of OVN are not flat and have no blocks', async () => {
    const ovn = await inspectObjects(
      withNodeMetadata(kindnet, { annotations: { 'k8s.ovn.org/node-subnets': '{"default":["10.128.0.0/23"]}' } }),
    );
    const kubeOvn = await inspectObjects([
      ...kindnet,
      { apiVersion: 'kubeovn.io/v1', kind: 'Subnet', metadata: { name: 'ovn-default' }, spec: {} },
    ]);

    assert.equal([ovn.cni?.value, blocksOf(ovn)], [{ name: 'ovn-kubernetes', encapsulation: 'geneve', flat: false }, []]);
    assert.equal([kubeOvn.cni?.value, blocksOf(kubeOvn)], [{ name: 'kube-ovn', encapsulation: 'geneve', flat: false }, []]);
  });
});
