// Load balancers: who answers, and which addresses Services have and ask for.
import type { KubeObject } from '../../src/base/objects.ts';
import { inspectObjects, loadFixture } from '../helpers/reader.ts';
import { assert, describe } from '../helpers/suite.ts';

const bare = loadFixture('kindnet');

function service(spec: object, metadata: object = {}, ingress: readonly object[] = []): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'a', name: 'b', ...metadata },
    spec: { type: 'LoadBalancer', ...spec },
    status: { loadBalancer: { ingress } },
  };
}

function object(apiVersion: string, kind: string, name: string, namespace?: string): KubeObject {
  return { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
}

describe('load balancer', ({ test }) => {
  const found: readonly (readonly [objects: readonly KubeObject[], value: string, source: string])[] = [
    [[object('metallb.io/v1beta1', 'IPAddressPool', 'x', 'metallb-system')], 'metallb', 'API group metallb.io'],
    [[object('apps/v1', 'DaemonSet', 'speaker', 'metallb-system')], 'metallb', 'DaemonSet metallb-system/speaker'],
    [[object('apps/v1', 'DaemonSet', 'kube-vip-ds', 'kube-system')], 'kube-vip', 'DaemonSet kube-system/kube-vip-ds'],
    [[object('v1', 'ConfigMap', 'kubevip', 'kube-system')], 'kube-vip', 'ConfigMap kube-system/kubevip'],
    [[object('apps/v1', 'DaemonSet', 'keepalived-vip', 'kube-system')], 'keepalived', 'DaemonSet kube-system/keepalived-vip'],
    [[service({}, {}, [{ ip: '10.0.0.9' }])], 'unknown', 'Service a/b has an address'],
    [[service({})], 'none', 'no implementation was found'],
  ];
  for (const [objects, value, source] of found) {
    test(`is ${value} by ${source}`, async () => {
      assert.equal((await inspectObjects([...bare, ...objects])).loadBalancer, { value, source });
    });
  }

  test("is what is installed rather than the platform's own", async () => {
    const metallb = object('metallb.io/v1beta1', 'IPAddressPool', 'x', 'metallb-system');

    assert.is((await inspectObjects([...loadFixture('k3s'), metallb])).loadBalancer?.value, 'metallb');
    assert.is((await inspectObjects([...loadFixture('eks'), metallb])).loadBalancer?.value, 'metallb');
  });
});

describe('LoadBalancer Services', ({ test }) => {
  test('tell the addresses they ask for, whichever way they ask', async () => {
    const annotations = {
      'metallb.universe.tf/loadBalancerIPs': '10.0.0.2, fd00::2',
      'projectcalico.org/loadBalancerIPs': '["10.0.0.3"]',
      'lbipam.cilium.io/ips': '10.0.0.4',
    };

    const facts = await inspectObjects([...bare, service({ loadBalancerIP: '10.0.0.1' }, { annotations })]);

    assert.equal(facts.services[0]?.requested, ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', 'fd00::2']);
  });

  test('tell what they got, addresses and host names', async () => {
    const facts = await inspectObjects([...bare, service({}, {}, [{ ip: '10.0.0.9' }, { hostname: 'b.example' }, { ip: '10.0.0.8' }])]);

    assert.equal(facts.services[0]?.addresses, ['10.0.0.8', '10.0.0.9']);
    assert.equal(facts.services[0]?.hostnames, ['b.example']);
  });

  test('leave out Services of other types', async () => {
    const facts = await inspectObjects([...bare, service({ type: 'ClusterIP' }), service({ type: undefined }, { name: 'c' })]);

    assert.equal(facts.services, []);
  });
});
