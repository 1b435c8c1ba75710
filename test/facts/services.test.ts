// Service and pod CIDRs from the control plane's own configuration, source by source.
import type { KubeObject } from '../../src/base/objects.ts';
import type { ClusterFacts } from '../../src/facts/schema.ts';
import { inspectObjects, loadFixture } from '../helpers/reader.ts';
import { assert, describe } from '../helpers/suite.ts';

const plain = loadFixture('kindnet').filter(({ kind, metadata }) => kind !== 'ConfigMap' && metadata.name !== 'kindnet');

function staticPod(component: string, command: readonly string[]): KubeObject {
  const metadata = { namespace: 'kube-system', name: `${component}-cp`, labels: { component } };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: component, command }] }, status: { phase: 'Running' } };
}

function configMap(name: string, data: Record<string, string>): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'kube-system', name }, data };
}

function kubeadm(text: string): KubeObject {
  return configMap('kubeadm-config', { ClusterConfiguration: text });
}

function serviceCIDR(apiVersion: string, name: string, cidrs: readonly string[]): KubeObject {
  return { apiVersion, kind: 'ServiceCIDR', metadata: { name }, spec: { cidrs } };
}

async function found(...objects: readonly KubeObject[]): Promise<ClusterFacts> {
  return inspectObjects([...plain, ...objects]);
}

describe('service CIDRs', ({ test }) => {
  test('are those of all ServiceCIDR objects, before any other source', async () => {
    const facts = await found(
      serviceCIDR('networking.k8s.io/v1', 'more', ['10.98.0.0/20']),
      serviceCIDR('networking.k8s.io/v1', 'kubernetes', ['10.96.0.0/16', 'fd00:96::/112']),
      kubeadm('networking: {serviceSubnet: 10.1.0.0/16}'),
    );

    assert.equal(facts.serviceCIDRs, { value: ['10.96.0.0/16', '10.98.0.0/20', 'fd00:96::/112'], source: 'ServiceCIDR kubernetes, more' });
  });

  test('are found in the beta of that API too', async () => {
    assert.equal((await found(serviceCIDR('networking.k8s.io/v1beta1', 'kubernetes', ['10.96.0.0/16']))).serviceCIDRs?.value, [
      '10.96.0.0/16',
    ]);
  });

  test('come from kubeadm, dual stack', async () => {
    const facts = await found(kubeadm('networking:\n  serviceSubnet: 10.96.0.0/12,fd00:96::/108\n'));

    assert.equal(facts.serviceCIDRs, {
      value: ['10.96.0.0/12', 'fd00:96::/108'],
      source: 'ConfigMap kube-system/kubeadm-config serviceSubnet',
    });
  });

  test('come from flags, with or without an equals sign', async () => {
    for (const command of [
      ['kube-apiserver', '--service-cluster-ip-range=10.96.0.0/12'],
      ['kube-apiserver', '--service-cluster-ip-range', '10.96.0.0/12'],
    ]) {
      const facts = await found(staticPod('kube-apiserver', command));

      assert.equal(facts.serviceCIDRs?.value, ['10.96.0.0/12']);
      assert.match(facts.serviceCIDRs?.source ?? '', '--service-cluster-ip-range of Pod kube-system/kube-apiserver-cp');
    }
  });

  test('come from the controller manager when the API server does not tell', async () => {
    const facts = await found(
      staticPod('kube-apiserver', ['kube-apiserver']),
      staticPod('kube-controller-manager', ['kube-controller-manager', '--service-cluster-ip-range=10.0.0.1/24']),
    );

    assert.equal(facts.serviceCIDRs?.value, ['10.0.0.0/24']);
  });

  test('are unknown, which is said, when nothing tells', async () => {
    const facts = await found();

    assert.is(facts.serviceCIDRs, undefined);
    assert.ok(facts.problems.some(({ code, message }) => code === 'ISM007' && message.includes('service CIDRs')));
  });

  test('survive configuration that makes no sense', async () => {
    for (const text of ['{', 'networking: 7', '- a\n- b', 'networking: {serviceSubnet: [a]}']) {
      const facts = await found(kubeadm(text));

      assert.ok(
        facts.problems.some(({ code, where }) => code === 'ISM008' && where === 'ConfigMap kube-system/kubeadm-config'),
        text,
      );
      assert.is(facts.serviceCIDRs, undefined);
    }
  });
});

describe('pod CIDRs of Kubernetes', ({ test }) => {
  test('come from the controller manager', async () => {
    const facts = await found(staticPod('kube-controller-manager', ['kube-controller-manager', '--cluster-cidr=10.240.0.0/13']));

    assert.equal(facts.podCIDRs?.value, ['10.240.0.0/13']);
  });

  test('come from the configuration of kube-proxy', async () => {
    const facts = await found(configMap('kube-proxy', { 'config.conf': 'kind: KubeProxyConfiguration\nclusterCIDR: 10.244.0.0/16\n' }));

    assert.equal(facts.podCIDRs, { value: ['10.244.0.0/16'], source: 'ConfigMap kube-system/kube-proxy clusterCIDR' });
  });

  test('come from the flags of kube-proxy', async () => {
    const containers = [{ name: 'kube-proxy', command: ['kube-proxy', '--cluster-cidr=10.244.0.0/15'] }];
    const daemonSet = {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { namespace: 'kube-system', name: 'kube-proxy' },
      spec: { template: { spec: { containers } } },
    };

    assert.equal((await found(daemonSet)).podCIDRs?.value, ['10.244.0.0/15']);
  });

  test('are the blocks of the nodes at last', async () => {
    assert.equal((await found()).podCIDRs, { value: ['10.244.0.0/23'], source: 'the pod blocks of 2 nodes' });
  });
});
