// What istiod leaves in a remote, on clusters in memory: uninstall takes it away, unless another control plane would write it again.

import { failure } from '../../src/base/errors.ts';
import type { KubeObject } from '../../src/base/objects.ts';
import { install } from '../../src/release/install.ts';
import { readGenerated } from '../../src/release/read.ts';
import type { ReleaseResult } from '../../src/release/types.ts';
import { uninstall } from '../../src/release/uninstall.ts';
import type { FakeCluster } from '../helpers/cluster.ts';
import { installation, out, twoClusters } from '../helpers/installation.ts';
import { assert, describe } from '../helpers/suite.ts';

const step = 'objects of istiod';

function configMap(
  namespace: string,
  name: string,
  metadata: Partial<KubeObject['metadata']> = { labels: { 'istio.io/config': 'true' } },
): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, ...metadata } };
}

const election = { annotations: { 'control-plane.alpha.kubernetes.io/leader': '{"holderIdentity":"istiod-1"}' } };

/** As istiod does within a second of the remote secret. */
function serve(cluster: FakeCluster): void {
  for (const namespace of ['default', 'kube-system', 'istio-system'])
    cluster.add(configMap(namespace, 'istio-ca-root-cert'), configMap(namespace, 'istio-ca-crl'));
  cluster.add(configMap('istio-system', 'istio-namespace-controller-election', election));
  const metadata = { name: 'istio-gateway-deployment-default', namespace: 'istio-system' };
  cluster.add({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: { holderIdentity: 'istiod-7c9f' } });
}

async function served() {
  const clusters = twoClusters();
  const system = installation({ clusters });
  await install(await readGenerated(system.files, out), system);
  serve(clusters.two);
  return clusters;
}

async function removeFrom(clusters: Awaited<ReturnType<typeof served>>): Promise<readonly ReleaseResult[]> {
  const system = installation({ clusters });
  return uninstall(await readGenerated(system.files, out), system);
}

function configMapsOf(cluster: FakeCluster): string[] {
  return [...cluster.objects.values()]
    .filter(({ kind }) => kind === 'ConfigMap')
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
}

function messageOf(results: readonly ReleaseResult[]): string {
  return results.find((result) => result.step === step)?.message ?? '';
}

describe('what istiod leaves in a remote', ({ test }) => {
  test('goes from every namespace, and with it the namespace that isthmus made', async () => {
    const clusters = await served();

    const results = await removeFrom(clusters);

    assert.is(results.find((result) => result.step === step)?.outcome, 'removed');
    assert.equal(configMapsOf(clusters.two), []);
    assert.is(clusters.two.find('Namespace', 'istio-system'), undefined);
  });

  test('is never looked for in a primary', async () => {
    const clusters = await served();
    serve(clusters.one);

    const results = await removeFrom(clusters);

    assert.equal(
      results.filter((result) => result.step === step).map(({ cluster }) => cluster),
      ['cluster2'],
    );
    assert.ok(configMapsOf(clusters.one).includes('default/istio-ca-root-cert'));
  });

  test('leaves ConfigMaps alone that only look like it', async () => {
    const clusters = await served();
    clusters.two.add(
      configMap('default', 'istio-ca-root-cert-copy'),
      configMap('kube-system', 'istio-team', {}),
      configMap('default', 'their-election', election),
    );

    await removeFrom(clusters);

    assert.equal(configMapsOf(clusters.two).sort(), [
      'default/istio-ca-root-cert-copy',
      'default/their-election',
      'kube-system/istio-team',
    ]);
  });

  const others: readonly (readonly [string, string, (clusters: Awaited<ReturnType<typeof served>>) => void])[] = [
    [
      'an istiod of its own',
      'Deployment istio-system/istiod',
      ({ two }) =>
        two.add({
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'istiod', namespace: 'istio-system', labels: { app: 'istiod' } },
        }),
    ],
    [
      'another injector',
      'MutatingWebhookConfiguration istio-sidecar-injector-canary',
      ({ two }) =>
        two.add({
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'MutatingWebhookConfiguration',
          metadata: { name: 'istio-sidecar-injector-canary', labels: { app: 'sidecar-injector' } },
        }),
    ],
    [
      'another primary',
      'the control plane of cluster3',
      ({ two }) => {
        const namespace = two.find('Namespace', 'istio-system');
        const annotations = { ...namespace?.metadata.annotations, 'topology.istio.io/controlPlaneClusters': 'cluster3' };
        if (namespace !== undefined) two.add({ ...namespace, metadata: { ...namespace.metadata, annotations } });
      },
    ],
    [
      'a remote secret that isthmus did not make',
      'Secret istio-system/istio-remote-secret-cluster2 in cluster1',
      ({ one }) => {
        const secret = one.find('Secret', 'istio-remote-secret-cluster2');
        if (secret !== undefined) one.add({ ...secret, metadata: { ...secret.metadata, labels: { 'istio/multiCluster': 'true' } } });
      },
    ],
  ];
  for (const [title, named, change] of others) {
    test(`stays where there is ${title}`, async () => {
      const clusters = await served();
      change(clusters);

      const results = await removeFrom(clusters);

      assert.match(messageOf(results), named);
      assert.ok(configMapsOf(clusters.two).includes('default/istio-ca-root-cert'));
    });
  }

  test('stays, and is named, where it may not be deleted', async () => {
    const clusters = await served();
    clusters.two.intercept = (request) => {
      if (request.startsWith('DELETE') && request.includes('/configmaps/istio-ca'))
        throw failure('403 configmaps is forbidden', { where: 'cluster2', cause: { status: 403 } });
    };

    const results = await removeFrom(clusters);

    assert.match(messageOf(results), 'forbidden');
    assert.is(results.filter(({ outcome }) => outcome === 'failed' || outcome === 'skipped').length, 0);
  });
});
