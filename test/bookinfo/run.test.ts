// The BookInfo demo on clusters in memory whose reviews answer as the VirtualService asks.
import { failure } from '../../src/base/errors.ts';
import { stages } from '../../src/bookinfo/ask.ts';
import { type BookinfoDeps, type RunOptions, removeBookinfo, runBookinfo } from '../../src/bookinfo/run.ts';
import type { ClusterClient } from '../../src/system/types.ts';
import { createFakeClock } from '../helpers/clock.ts';
import { type FakeCluster, fakeCluster } from '../helpers/cluster.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const options: RunOptions = {
  namespace: 'bookinfo',
  hub: 'registry.example/release',
  tag: '1.20.3',
  revision: '',
  primary: 'cluster1',
  remote: 'cluster2',
  requests: 20,
  timeoutMs: 5000,
};

interface Destination {
  readonly destination: { readonly subset: string };
  readonly weight: number;
}

/** What one request is answered: the turn counts requests from 0. */
type Reviews = (subset: string, turn: number) => unknown;

const honest: Reviews = (subset) => ({ podname: `reviews-${subset}-abc-xyz`, clustername: subset === 'v3' ? 'cluster2' : 'cluster1' });

function scene(reviews: Reviews = honest) {
  const [primary, remote] = [fakeCluster(), fakeCluster()];
  const said: string[] = [];
  let turn = 0;
  const answer = () => {
    const route = primary.find('VirtualService', 'reviews')?.['spec'] as { http: { route: Destination[] }[] } | undefined;
    const subsets = route?.http[0]?.route.flatMap(({ destination, weight }) => new Array(weight / 50).fill(destination.subset)) ?? [];
    turn++;
    return reviews(subsets[turn % subsets.length], turn);
  };
  const deps: BookinfoDeps = {
    primary: clientOf('cluster1', primary, answer),
    remote: clientOf('cluster2', remote, answer),
    clock: createFakeClock('2026-01-01T00:00:00Z'),
    signal: new AbortController().signal,
    say: (line) => said.push(line),
  };
  return { primary, remote, deps, said };
}

/** Deployments are ready as soon as they are there, and the gateway answers through the API server. */
function clientOf(name: string, cluster: FakeCluster, answer: () => unknown): ClusterClient {
  const client = cluster.client(name);
  const get = async (path: string) => {
    if (path.endsWith('/services/bookinfo-gateway:http/proxy/api/v1/products/0/reviews')) return answer();
    const object = (await client.get(path)) as Record<string, unknown> | undefined;
    if (object === undefined || !path.includes('/deployments/')) return object;
    return { ...object, metadata: { generation: 1 }, status: { observedGeneration: 1, updatedReplicas: 1, availableReplicas: 1 } };
  };
  return { ...client, get };
}

function deploymentsOf(cluster: FakeCluster): string[] {
  return [...cluster.objects.values()].filter(({ kind }) => kind === 'Deployment').map(({ metadata }) => metadata.name);
}

describe('BookInfo across clusters', ({ test }) => {
  test('tells the versions of reviews to a second istiod, and to no remote', async () => {
    const [alone, joined] = [scene(), scene()];

    await runBookinfo(alone.deps, options);
    await runBookinfo(joined.deps, { ...options, remoteIsPrimary: true });

    assert.is(alone.remote.find('DestinationRule', 'reviews'), undefined);
    assert.equal(joined.remote.find('DestinationRule', 'reviews')?.['spec'], joined.primary.find('DestinationRule', 'reviews')?.['spec']);
  });

  test('has reviews-v3 in the remote, and everything else in the primary', async () => {
    const { primary, remote, deps } = scene();

    await runBookinfo(deps, options);

    assert.equal(deploymentsOf(remote), ['reviews-v3']);
    assert.equal(deploymentsOf(primary), ['details-v1', 'ratings-v1', 'reviews-v1', 'reviews-v2', 'productpage-v1', 'bookinfo-gateway']);
    const services = [...remote.objects.values()].filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name);
    assert.equal(services, ['ratings', 'reviews']);
  });

  test('asks for sidecars by the namespace, or by the revision of the mesh', async () => {
    const [plain, revised] = [scene(), scene()];

    await runBookinfo(plain.deps, options);
    await runBookinfo(revised.deps, { ...options, revision: '1-31' });

    const labels = ({ remote }: typeof plain) => remote.find('Namespace', 'bookinfo')?.metadata.labels ?? {};
    assert.is(labels(plain)['istio-injection'], 'enabled');
    assert.is(labels(revised)['istio-injection'], undefined);
    assert.is(labels(revised)['istio.io/rev'], '1-31');
  });

  test('divides the requests in three ways and counts who answered', async () => {
    const { deps } = scene();

    const results = await runBookinfo(deps, options);

    assert.equal(
      results.map(({ title, answered, failed, ok }) => [title, answered, failed, ok]),
      [
        [stages[0]?.title, [{ workload: 'reviews-v1', cluster: 'cluster1', requests: 20 }], 0, true],
        [stages[1]?.title, [{ workload: 'reviews-v3', cluster: 'cluster2', requests: 20 }], 0, true],
        [
          stages[2]?.title,
          [
            { workload: 'reviews-v1', cluster: 'cluster1', requests: 10 },
            { workload: 'reviews-v3', cluster: 'cluster2', requests: 10 },
          ],
          0,
          true,
        ],
      ],
    );
  });

  test('says when the other cluster does not answer', async () => {
    const { deps } = scene(() => honest('v1', 0));

    const results = await runBookinfo(deps, options);

    assert.equal(
      results.map(({ ok }) => ok),
      [true, false, false],
    );
  });

  test('counts requests that failed, and shows what the first one said', async () => {
    const { deps } = scene((subset, turn) => {
      if (subset === 'v3' && turn % 2 === 0) throw failure('upstream connect error');
      return honest(subset, turn);
    });

    const [first, second] = await runBookinfo(deps, options);

    assert.is(first?.failed, 0);
    assert.is(second?.ok, false);
    assert.is(second?.failed, 10);
    assert.match(second?.firstFailure ?? '', 'upstream connect error');
  });

  test('takes an answer without a pod for a failure', async () => {
    const { deps } = scene(() => '<html>');

    const [first] = await runBookinfo(deps, options);

    assert.is(first?.failed, 20);
    assert.match(first?.firstFailure ?? '', 'names no pod');
  });

  test("leaves a namespace alone that is not the demo's", async () => {
    const { primary, remote, deps } = scene();
    remote.add({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bookinfo', labels: { team: 'books' } } });

    const [onRun, onRemove] = [await thrownBy(() => runBookinfo(deps, options)), await thrownBy(() => removeBookinfo(deps, options))];

    for (const error of [onRun, onRemove]) assert.match(String(error), "is not the demo's");
    assert.equal(
      [...primary.writes, ...remote.writes].filter((line) => line !== 'DELETE /api/v1/namespaces/bookinfo'),
      [],
    );
    assert.ok(remote.find('Namespace', 'bookinfo'));
  });

  test('gives up on a workload that never becomes ready, and names it', async () => {
    const { deps } = scene();
    const get = (path: string) =>
      path.endsWith('/reviews-v3') ? Promise.resolve({ metadata: { generation: 1 }, status: {} }) : deps.remote.get(path);

    const error = await thrownBy(() => runBookinfo({ ...deps, remote: { ...deps.remote, get } }, options));

    assert.match(String(error), 'Deployment bookinfo/reviews-v3 of cluster2');
  });

  test('is gone from both clusters after its removal, and removal can be repeated', async () => {
    const { primary, remote, deps } = scene();
    await runBookinfo(deps, options);

    await removeBookinfo(deps, options);
    await removeBookinfo(deps, options);

    for (const cluster of [primary, remote]) assert.is(cluster.find('Namespace', 'bookinfo'), undefined);
    assert.equal([...deploymentsOf(primary), ...deploymentsOf(remote)], []);
  });
});
