// Source addresses of pods on the way to other clusters, per CNI.
import type { ClusterFacts } from '../../src/facts/schema.ts';
import { clusterOf, codesOf, findingsOf, planFlat, planPair, pool, releaseOf } from '../helpers/builders.ts';
import { assert, describe } from '../helpers/suite.ts';

function cni(name: string, encapsulation = 'none', flat = true): Pick<ClusterFacts, 'cni'> {
  return { cni: { value: { name, encapsulation, flat }, source: 'DaemonSet' } };
}

describe('source addresses with Calico', ({ test }) => {
  test('are kept by a disabled pool for each pod CIDR of the other clusters', () => {
    const plan = planPair();

    assert.is(clusterOf(plan, 'cluster1').sourceNat.method, 'ip-pools');
    assert.equal(releaseOf(plan, 'cluster1', 'route-installer').values.ipPools, [{ name: 'isthmus-cluster2-1', cidr: '10.2.0.0/16' }]);
  });

  test('need no pool where natOutgoing is off', () => {
    const plan = planPair({ one: { pools: [{ ...pool('a', '10.1.0.0/16'), natOutgoing: false }] } });

    assert.is(clusterOf(plan, 'cluster1').sourceNat.method, 'none-needed');
    assert.equal(releaseOf(plan, 'cluster1', 'route-installer').values.ipPools, []);
  });

  test("need no pool where someone else's holds the other pod CIDR", () => {
    const plan = planPair({ one: { pools: [pool('a', '10.1.0.0/16'), { ...pool('submariner', '10.0.0.0/8'), disabled: true }] } });

    assert.is(clusterOf(plan, 'cluster1').sourceNat.method, 'none-needed');
  });

  test('keep the pools of an earlier installation in the plan', () => {
    const plan = planPair({ one: { pools: [pool('a', '10.1.0.0/16'), { ...pool('isthmus-cluster2-1', '10.2.0.0/16'), disabled: true }] } });

    assert.equal(releaseOf(plan, 'cluster1', 'route-installer').values.ipPools, [{ name: 'isthmus-cluster2-1', cidr: '10.2.0.0/16' }]);
  });

  test('are unknown where its pools are, and nothing is installed', () => {
    const plan = planPair({ one: { pools: [] } });

    assert.is(findingsOf(plan, 'ISM048')[0]?.cluster, 'cluster1');
    assert.equal(releaseOf(plan, 'cluster1', 'route-installer').values.ipPools, []);
  });

  test('are left to the user where isthmus installs nothing', () => {
    const plan = planPair({ mesh: { routes: { provider: 'bgp' } } });

    const [finding] = findingsOf(plan, 'ISM050');
    assert.is(finding?.message, 'Calico masquerades packets to 10.2.0.0/16.');
    assert.match(finding?.hint ?? '', 'disableBGPExport');
  });

  test('use the API that its objects were read from', () => {
    const v3 = { cni: { value: { name: 'calico', encapsulation: 'none', flat: true }, source: 'projectcalico.org/v3 BlockAffinity' } };

    const plan = planPair({ one: v3 });

    assert.is(releaseOf(plan, 'cluster1', 'route-installer').values.ipPoolApiVersion, 'projectcalico.org/v3');
    assert.is(releaseOf(plan, 'cluster2', 'route-installer').values.ipPoolApiVersion, 'crd.projectcalico.org/v1');
  });
});

describe('source addresses with other CNIs', ({ test }) => {
  test('with flannel are kept by a RETURN rule of the agent', () => {
    const plan = planPair({ one: cni('flannel') });

    assert.is(clusterOf(plan, 'cluster1').sourceNat.method, 'return-rule');
    assert.equal(releaseOf(plan, 'cluster1', 'route-installer').values.masquerade.exemptCIDRs, ['10.2.0.0/16']);
    assert.equal(releaseOf(plan, 'cluster1', 'route-installer').values.ipPools, []);
  });

  test('with Cilium are kept when its native routing CIDR covers the others, else the plan says what to set', () => {
    const covered = planPair({ one: { ...cni('cilium'), natExemptCIDRs: { value: ['10.0.0.0/8'], source: 'ConfigMap' } } });
    const missing = planPair({ one: { ...cni('cilium'), natExemptCIDRs: { value: ['10.1.0.0/16'], source: 'ConfigMap' } } });

    assert.is(clusterOf(covered, 'cluster1').sourceNat.method, 'none-needed');
    assert.equal(codesOf(covered), ['ISM063']);
    assert.is(findingsOf(missing, 'ISM050')[0]?.message, 'Cilium masquerades packets to 10.2.0.0/16 (ConfigMap).');
    assert.match(findingsOf(missing, 'ISM050')[0]?.hint ?? '', 'ipv4NativeRoutingCIDR');
  });

  test('with a CNI that nobody knows are a warning', () => {
    const plan = planPair({ one: cni('unknown') });

    assert.is(
      findingsOf(plan, 'ISM048')[0]?.message,
      'It is not known whether the CNI of this cluster keeps pod addresses in packets to 10.2.0.0/16.',
    );
  });
});

describe('pod networks that are wrapped', ({ test }) => {
  test('are warned about: routes bypass the tunnel and the encryption', () => {
    for (const encapsulation of ['ipip', 'vxlan', 'ipip, wireguard']) {
      const plan = planPair({ one: cni('calico', encapsulation) });

      assert.is(
        findingsOf(plan, 'ISM051')[0]?.message,
        `Calico wraps pod packets between its own nodes (${encapsulation}); those to other clusters go plain.`,
      );
      assert.is(clusterOf(plan, 'cluster1').routes.length, 2);
    }
  });

  test('are refused when nothing but the tunnel carries pods', () => {
    const plan = planFlat({ two: cni('cilium', 'vxlan', false) });

    assert.is(findingsOf(plan, 'ISM052')[0]?.message, 'Cilium carries pod packets in its own tunnels only (vxlan).');
    assert.is(clusterOf(plan, 'cluster1').routes.length, 0);
    assert.equal(
      plan.links.map(({ by, reason }) => [by, reason]),
      [['nothing', 'the pod network of cluster2 is not flat']],
    );
  });
});
