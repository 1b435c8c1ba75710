// Installing and uninstalling clusters of different networks: what comes before the remote secret, and what after it.
import type { KubeObject } from '../../src/base/objects.ts';
import { install } from '../../src/release/install.ts';
import { readGenerated } from '../../src/release/read.ts';
import type { ReleaseResult } from '../../src/release/types.ts';
import { uninstall } from '../../src/release/uninstall.ts';
import { gatewayIndex, installation, out, reconcile, twoClusters } from '../helpers/installation.ts';
import { assert, describe } from '../helpers/suite.ts';
import type { FakeSystem } from '../helpers/system.ts';

const timeoutMs = 10_000;

async function run(system: FakeSystem): Promise<readonly ReleaseResult[]> {
  return install(await readGenerated(system.files, out), system, { timeoutMs });
}

const lines = (results: readonly ReleaseResult[]) => results.map(({ cluster, step, outcome }) => `${cluster} ${step}: ${outcome}`);

describe('an installation with gateways', ({ test }) => {
  test("makes the primary's gateway first and waits for its address; the remote's comes after the remote secret", async () => {
    const system = installation({ clusters: twoClusters(), index: gatewayIndex() });

    const results = await run(system);

    assert.equal(
      lines(results).filter((line) => !line.includes('namespace')),
      [
        'cluster1 eastwest-gateway: installed',
        'cluster1 address of istio-eastwestgateway: unchanged',
        'cluster2 istio-remote: installed',
        'cluster1 remote secret istio-remote-secret-cluster2: installed',
        'cluster2 eastwest-gateway: installed',
        'cluster2 address of istio-eastwestgateway: unchanged',
      ],
    );
    assert.is(results.find(({ step }) => step === 'eastwest-gateway')?.message, 'istio-eastwestgateway ready on 2 of 2');
  });

  test('changes nothing when it runs again', async () => {
    const system = installation({ clusters: twoClusters(), index: gatewayIndex() });
    await run(system);

    const results = await run(system);

    assert.equal([...new Set(results.map(({ outcome }) => outcome))], ['unchanged']);
  });

  test("joins nothing where the primary's gateway gets no address, and says why", async () => {
    const clusters = twoClusters();
    const withoutAddress = (object: KubeObject) => object.kind !== 'Service';
    const system = installation({
      clusters,
      index: gatewayIndex(),
      reconcile: (cluster) => {
        const services = [...cluster.objects.values()].filter((object) => !withoutAddress(object));
        for (const service of services) cluster.remove(service);
        reconcile(cluster);
        cluster.add(...services);
      },
    });

    const results = await run(system);

    const failed = results.find(({ outcome }) => outcome === 'failed');
    assert.is(failed?.step, 'address of istio-eastwestgateway');
    assert.match(failed?.message ?? '', 'Service istio-system/istio-eastwestgateway got no address within 10 s');
    assert.equal(
      results.filter(({ outcome, cluster }) => outcome === 'skipped' && cluster === 'cluster2').map(({ step }) => step),
      ['istio-remote', 'eastwest-gateway'],
    );
    assert.is(clusters.two.find('Deployment', 'istio-eastwestgateway'), undefined);
  });

  test('is gone after uninstall, with the Services that helm keeps', async () => {
    const clusters = twoClusters();
    const system = installation({ clusters, index: gatewayIndex() });
    await run(system);

    const results = await uninstall(await readGenerated(system.files, out), system);

    const removed = lines(results).filter((line) => line.endsWith(': removed') && !line.includes('namespace'));
    assert.equal(removed, [
      'cluster1 remote secret istio-remote-secret-cluster2: removed',
      'cluster2 eastwest-gateway: removed',
      'cluster2 istio-remote: removed',
      'cluster1 eastwest-gateway: removed',
    ]);
    for (const cluster of Object.values(clusters)) assert.is(cluster.find('Service', 'istio-eastwestgateway'), undefined);
    assert.ok(results.filter(({ step }) => step === 'proof').every(({ outcome }) => outcome === 'absent'));
  });
});
