import { parseYaml } from '../../src/base/yaml.ts';
import type { MeshPlan } from '../../src/plan/types.ts';
import { ReleaseIndex } from '../../src/render/types.ts';
import { classicPlan, loadedFor, modernPlan } from '../helpers/plans.ts';
import { renderedFiles } from '../helpers/render.ts';
import { assert, describe } from '../helpers/suite.ts';

function indexOf(plan: MeshPlan): ReleaseIndex {
  return ReleaseIndex.parse(parseYaml(renderedFiles(plan).get('releases.yaml') ?? '', 'releases.yaml').value);
}

describe('releases.yaml', ({ test }) => {
  test('lists load balancers before routes before remotes', () => {
    const steps = indexOf(classicPlan()).releases.map(({ order, cluster, name }) => `${order} ${cluster} ${name}`);

    assert.equal(steps, [
      '10 cluster1 istio-ilb',
      '20 cluster1 route-installer',
      '20 cluster2 route-installer',
      '30 cluster2 istio-remote-classic',
    ]);
  });

  test('gives each ready release its folder, digest and version', () => {
    for (const { cluster, name, folder, digest, version } of indexOf(modernPlan()).releases) {
      assert.is(folder, `clusters/${cluster}/${name}`);
      assert.is(version, `0.1.0+${digest?.slice(0, 12)}`);
    }
  });

  test('says what a release waits for, and gives it no folder', () => {
    const waiting = indexOf(modernPlan([])).releases.filter(({ folder }) => folder === undefined);

    assert.equal(waiting, [
      {
        name: 'istio-remote',
        namespace: 'istio-system',
        cluster: 'cluster2',
        chart: 'istio-remote',
        order: 30,
        waitsFor: ['address of istiod-ilb in cluster1'],
      },
    ]);
  });

  test('tells uninstall which Services helm will keep', () => {
    const kept = indexOf(modernPlan()).releases.flatMap((release) => release.kept ?? []);

    assert.equal(kept, [{ apiVersion: 'v1', kind: 'Service', namespace: 'istio-system', name: 'istiod-ilb' }]);
  });

  test('has what mesh.yaml says about reaching a cluster, and the UID of the plan', () => {
    const plan = modernPlan();
    const loaded = loadedFor(plan);
    const clusters = loaded.mesh.clusters.map((cluster) =>
      cluster.name === 'cluster2' ? { ...cluster, kubeconfig: '../two.yaml' } : cluster,
    );
    const withUid = { ...plan, clusters: plan.clusters.map((cluster) => ({ ...cluster, uid: `uid-of-${cluster.name}` })) };

    const files = renderedFiles(withUid, { loaded: { ...loaded, mesh: { ...loaded.mesh, clusters } } });

    const index = ReleaseIndex.parse(parseYaml(files.get('releases.yaml') ?? '', 'releases.yaml').value);
    assert.equal(
      index.clusters.map(({ context, kubeconfig, uid }) => ({ context, kubeconfig, uid })),
      [
        { context: 'icp-1', kubeconfig: undefined, uid: 'uid-of-cluster1' },
        { context: 'icp-2', kubeconfig: '../two.yaml', uid: 'uid-of-cluster2' },
      ],
    );
  });

  test('names the remote secrets with the Secret that has the token', () => {
    assert.equal(indexOf(classicPlan()).remoteSecrets, [
      {
        name: 'cluster2',
        namespace: 'istio-system',
        remote: 'cluster2',
        primary: 'cluster1',
        server: 'https://9.111.255.77:8001',
        serviceAccount: 'istio-multi',
        tokenSecret: 'istio-multi-istio-remote-secret-token',
      },
    ]);
  });
});
