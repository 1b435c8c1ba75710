// The gate before every write, with writes that come side by side.
import { createGate } from '../../src/release/gate.ts';
import type { Session } from '../../src/release/session.ts';
import { createFakeClock } from '../helpers/clock.ts';
import { type FakeCluster, fakeCluster } from '../helpers/cluster.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const namespace = 'isthmus-system';

function gateOf(cluster: FakeCluster) {
  const clock = createFakeClock('2026-01-01T00:00:00Z');
  const session = { spec: { name: 'east' }, client: cluster.client('east') } as unknown as Session;
  const gate = createGate({
    sessions: () => [session],
    namespace,
    holder: 'me',
    clock,
    signal: new AbortController().signal,
    prepare: async () => undefined,
    onWait: () => undefined,
  });
  return { gate, clock };
}

const lease = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/isthmus`;

describe('the gate', ({ test }) => {
  test('renews a Lease once for all writes that come when it is due', async () => {
    const cluster = fakeCluster();
    const { gate, clock } = gateOf(cluster);
    await gate.enter('east');
    await clock.sleep(10_000);

    await Promise.all([gate.enter('east'), gate.enter('east'), gate.enter('east')]);
    await gate.enter('east');

    assert.equal(cluster.writes, [`CREATE ${lease}`, `REPLACE ${lease}`]);
  });

  test('renews it again ten seconds later', async () => {
    const cluster = fakeCluster();
    const { gate, clock } = gateOf(cluster);
    await gate.enter('east');

    for (const _ of [1, 2, 3]) {
      await clock.sleep(10_000);
      await gate.enter('east');
    }

    assert.is(cluster.writes.filter((line) => line.startsWith('REPLACE')).length, 3);
  });

  test('closes when another run has taken the Lease', async () => {
    const cluster = fakeCluster();
    const { gate, clock } = gateOf(cluster);
    await gate.enter('east');
    const taken = cluster.find('Lease', 'isthmus');
    if (taken !== undefined) cluster.add({ ...taken, spec: { holderIdentity: 'you' } });
    await clock.sleep(10_000);

    const errors = await Promise.all([thrownBy(() => gate.enter('east')), thrownBy(() => gate.enter('east'))]);

    for (const error of errors) assert.match(String(error), 'does not hold the Lease any more');
  });
});
