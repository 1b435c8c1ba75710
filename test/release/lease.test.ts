// The Lease: taken, renewed, lost, given back, and taken from the dead.
import type { KubeObject } from '../../src/base/objects.ts';
import { takeLease } from '../../src/release/lease.ts';
import { createFakeClock } from '../helpers/clock.ts';
import { type FakeCluster, fakeCluster } from '../helpers/cluster.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const start = '2026-01-01T00:00:00Z';
const namespace = 'isthmus-system';

function take(cluster: FakeCluster, holder: string, clock = createFakeClock(start)) {
  const waits: string[] = [];
  const signal = new AbortController().signal;
  const lease = takeLease({ client: cluster.client('east'), namespace, holder, clock, signal, onWait: (text) => waits.push(text) });
  return { lease, waits, clock };
}

const specOf = (cluster: FakeCluster) => cluster.find('Lease', 'isthmus')?.['spec'] as Record<string, unknown> | undefined;

function heldBy(holder: string, renewTime: string): KubeObject {
  const spec = {
    holderIdentity: holder,
    acquireTime: '2025-12-31T23:00:00.000000Z',
    renewTime,
    leaseDurationSeconds: 30,
    leaseTransitions: 4,
  };
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'isthmus', namespace }, spec };
}

describe('the Lease', ({ test }) => {
  test('is made with holder, times and duration as Kubernetes writes them', async () => {
    const cluster = fakeCluster();

    const held = await take(cluster, 'me').lease;

    assert.is(held.deadSince, undefined);
    assert.equal(specOf(cluster), {
      holderIdentity: 'me',
      leaseDurationSeconds: 30,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 1,
    });
  });

  test('is renewed without a new acquire time, and given back for the next', async () => {
    const cluster = fakeCluster();
    const { lease, clock } = take(cluster, 'me');
    const held = await lease;
    await clock.sleep(10_000);

    assert.is(await held.renew(), true);
    assert.is(specOf(cluster)?.['renewTime'], '2026-01-01T00:00:10.000000Z');
    assert.is(specOf(cluster)?.['acquireTime'], '2026-01-01T00:00:00.000000Z');
    await held.release();
    const next = await take(cluster, 'you').lease;

    assert.is(next.deadSince, undefined);
    assert.is(specOf(cluster)?.['holderIdentity'], 'you');
  });

  test('is taken at once when it has run out, and tells since when the dead run held it', async () => {
    const cluster = fakeCluster({ objects: [heldBy('dead', '2025-12-31T23:59:00.000000Z')] });
    const { lease, waits } = take(cluster, 'me');

    assert.is((await lease).deadSince?.toISOString(), '2025-12-31T23:00:00.000Z');
    assert.equal(waits, []);
    assert.is(specOf(cluster)?.['leaseTransitions'], 5);
  });

  test('is watched until it runs out when its holder may still live', async () => {
    const cluster = fakeCluster({ objects: [heldBy('dying', '2025-12-31T23:59:59.000000Z')] });
    const { lease, waits, clock } = take(cluster, 'me');

    await lease;

    assert.equal(waits, ['waits to see whether dying is still at work']);
    assert.ok(clock.now() > new Date('2026-01-01T00:00:29Z'));
  });

  test('is refused as soon as its holder renews it', async () => {
    const cluster = fakeCluster({ objects: [heldBy('alive', '2025-12-31T23:59:59.000000Z')] });
    let reads = 0;
    cluster.intercept = (request) => {
      if (request.startsWith('GET') && ++reads === 3) cluster.add(heldBy('alive', '2026-01-01T00:00:03.000000Z'));
    };

    const error = (await thrownBy(() => take(cluster, 'me').lease)) as Error;

    assert.is(error.message, 'another run of isthmus is at work: alive, since 2025-12-31T23:00:00.000000Z');
    assert.is(specOf(cluster)?.['holderIdentity'], 'alive');
  });

  test('goes to one of two that want it in the same moment', async () => {
    const cluster = fakeCluster();
    let raced = false;
    cluster.intercept = (request) => {
      if (request.startsWith('CREATE') && !raced) {
        raced = true;
        cluster.add(heldBy('faster', '2026-01-01T00:00:00.000000Z'));
      }
    };

    const held = await take(cluster, 'me').lease;

    assert.is(held.deadSince?.toISOString(), '2025-12-31T23:00:00.000Z', 'it was taken only after the faster one had run out');
  });

  test('is known to be lost, and is not given back by who lost it', async () => {
    const cluster = fakeCluster();
    const held = await take(cluster, 'me').lease;
    cluster.add(heldBy('mallory', '2026-01-01T00:00:00.000000Z'));

    assert.is(await held.renew(), false);
    await held.release();

    assert.is(specOf(cluster)?.['holderIdentity'], 'mallory');
  });
});
