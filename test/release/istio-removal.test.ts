// What Istio's own charts leave behind, on clusters in memory: it goes where isthmus had installed Istio, unless somebody uses it.
import type { KubeObject } from '../../src/base/objects.ts';
import { install } from '../../src/release/install.ts';
import { readGenerated } from '../../src/release/read.ts';
import type { ReleaseResult } from '../../src/release/types.ts';
import { uninstall } from '../../src/release/uninstall.ts';
import type { FakeCluster } from '../helpers/cluster.ts';
import { installation, out, releaseIndex, twoClusters } from '../helpers/installation.ts';
import { assert, describe } from '../helpers/suite.ts';

const gateways = 'gateways.networking.istio.io';

function definition(name: string, chart: string): KubeObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name, labels: { 'app.kubernetes.io/instance': 'istio-base', 'helm.sh/chart': chart } },
    spec: {
      group: 'networking.istio.io',
      names: { plural: name.split('.')[0] },
      versions: [
        { name: 'v1alpha3', served: false },
        { name: 'v1', served: true },
      ],
    },
  };
}

const root: KubeObject = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'istio-ca-secret', namespace: 'istio-system' } };

/** out/ of a mesh whose primary has an Istio of ours. */
function withIstiod(): ReturnType<typeof releaseIndex> {
  const index = releaseIndex();
  const [ilb] = index.releases;
  if (ilb !== undefined) index.releases.unshift({ ...ilb, name: 'istiod', chart: 'istiod', kept: [] });
  return index;
}

/** A primary as helm leaves it after it has uninstalled the charts; `namespace` when isthmus had made istio-system. */
async function uninstalled(primary: (cluster: FakeCluster) => void, index = withIstiod()) {
  const clusters = twoClusters();
  const installed = installation({ clusters });
  await install(await readGenerated(installed.files, out), installed);
  primary(clusters.one);
  const system = installation({ clusters, index });
  const results = await uninstall(await readGenerated(system.files, out), system);
  return { one: clusters.one, results };
}

const outcomeOf = (results: readonly ReleaseResult[], step: string) => {
  const { outcome, message } = results.find((result) => result.cluster === 'cluster1' && result.step === step) ?? {};
  return [outcome, message];
};

describe('what the charts of Istio leave', ({ test }) => {
  test('goes: the definitions of its kinds, but not those of others', async () => {
    const { one, results } = await uninstalled((cluster) =>
      cluster.add(
        definition(gateways, 'istio-base-cluster1-0.1.0_0a1b2c3d4e5f'),
        definition('sidecars.networking.istio.io', 'base-1.30.3'),
      ),
    );

    assert.equal(outcomeOf(results, 'definitions of Istio'), ['removed', undefined]);
    assert.is(one.find('CustomResourceDefinition', gateways), undefined);
    assert.ok(one.find('CustomResourceDefinition', 'sidecars.networking.istio.io'));
  });

  test('stays where somebody has objects of the kind', async () => {
    const gateway: KubeObject = { apiVersion: 'networking.istio.io/v1', kind: 'Gateway', metadata: { name: 'shop', namespace: 'default' } };

    const { one, results } = await uninstalled((cluster) => cluster.add(definition(gateways, 'istio-base-cluster1-0.1.0_x'), gateway));

    assert.equal(outcomeOf(results, 'definitions of Istio'), ['absent', `these stay, because there are objects of them: ${gateways}`]);
    assert.ok(one.find('CustomResourceDefinition', gateways));
  });

  test('is the root of the mesh only where the namespace was there before', async () => {
    const { one, results } = await uninstalled((cluster) => cluster.add(root));

    assert.equal(outcomeOf(results, 'Secret istio-ca-secret'), ['absent', 'namespace istio-system was there before, so it stays']);
    assert.ok(one.find('Secret', 'istio-ca-secret'));
  });

  test('is not looked at while a pod of istiod still runs', async () => {
    const labels = { app: 'istiod' };
    const pod: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'istiod-1', namespace: 'istio-system', labels } };

    const { results } = await uninstalled((cluster) => {
      cluster.add(root);
      cluster.intercept = (request) => void (request.includes('/istio-system/pods') && cluster.add(pod));
    });

    assert.equal(outcomeOf(results, 'Secret istio-ca-secret'), ['failed', 'pods of istiod still run: istiod-1']);
  });

  test('is not touched where isthmus did not install Istio', async () => {
    const { one, results } = await uninstalled(
      (cluster) => cluster.add(root, definition(gateways, 'istio-base-cluster1-0.1.0_x')),
      releaseIndex(),
    );

    assert.equal(outcomeOf(results, 'definitions of Istio'), [undefined, undefined]);
    assert.ok(one.find('CustomResourceDefinition', gateways));
  });
});
