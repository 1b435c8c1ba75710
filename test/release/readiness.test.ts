// Waiting for nodes: what counts as ready, and what is said when it never is.
import type { IsthmusError } from '../../src/base/errors.ts';
import type { KubeObject } from '../../src/base/objects.ts';
import { waitUntilReady } from '../../src/release/readiness.ts';
import { createFakeClock } from '../helpers/clock.ts';
import { type FakeCluster, fakeCluster } from '../helpers/cluster.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const namespace = 'isthmus-system';
const condition = (type: string, status = 'True') => ({ conditions: [{ type, status }] });
const node = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Node', metadata: { name }, status: condition('Ready') });
const keeper: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'keeper', namespace, uid: 'ds' },
  spec: { selector: { matchLabels: { app: 'keeper' } }, template: { spec: {} } },
};

function revision(hash: string, number: number): KubeObject {
  const metadata = { name: hash, namespace, labels: { app: 'keeper', 'controller-revision-hash': hash }, ownerReferences: [{ uid: 'ds' }] };
  return { apiVersion: 'apps/v1', kind: 'ControllerRevision', metadata, revision: number } as KubeObject;
}

function pod(on: string, hash: string, status: unknown = condition('Ready')): KubeObject {
  const metadata = { name: `keeper-${on}`, namespace, labels: { app: 'keeper', 'controller-revision-hash': hash } };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: on }, status };
}

function wait(cluster: FakeCluster, objects: readonly KubeObject[] = [keeper]) {
  const said: string[] = [];
  const clock = createFakeClock('2026-01-01T00:00:00Z');
  const { signal } = new AbortController();
  const onProgress = (text: string) => void said.push(text);
  const done = waitUntilReady(objects, {
    client: cluster.client('east'),
    namespace,
    nodes: [],
    clock,
    signal,
    timeoutMs: 60_000,
    onProgress,
  });
  return { done, said };
}

async function messageOf({ done }: ReturnType<typeof wait>): Promise<string> {
  return ((await thrownBy(() => done)) as IsthmusError).message;
}

describe('readiness', ({ test }) => {
  test('needs a ready pod of the newest revision on every node', async () => {
    const cluster = fakeCluster({
      objects: [node('n1'), node('n2'), keeper, revision('old', 1), revision('new', 2), pod('n1', 'new'), pod('n2', 'old')],
    });
    let reads = 0;
    cluster.intercept = (request) => {
      if (request === 'GET /api/v1/nodes' && ++reads === 4) cluster.add(pod('n2', 'new'));
    };
    const { done, said } = wait(cluster);

    assert.is(await done, 'keeper ready on 2 of 2');
    assert.equal(said, ['keeper ready on 1 of 2']);
  });

  test('names the nodes that are missing, their reasons, and what the cluster warned about', async () => {
    const pulling = { containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff', message: 'not in the mirror' } } }] };
    const warning: KubeObject = {
      ...{ apiVersion: 'v1', kind: 'Event', metadata: { name: 'e', namespace }, type: 'Warning', reason: 'FailedCreate' },
      ...{ message: 'violates PodSecurity "baseline"', involvedObject: { kind: 'DaemonSet', name: 'keeper' } },
    };
    const cluster = fakeCluster({ objects: [node('n1'), node('n2'), keeper, pod('n1', 'x', pulling), warning] });

    const error = (await thrownBy(() => wait(cluster).done)) as IsthmusError;

    assert.is(error.message, 'not ready after 60 s: node n1 (ImagePullBackOff: not in the mirror), node n2 (no pod yet)');
    assert.match(String(error.hint), 'DaemonSet keeper: FailedCreate: violates PodSecurity "baseline"');
  });

  test('shows the end of the log of a pod that said nothing else', async () => {
    const cluster = fakeCluster({ objects: [node('n1'), keeper, pod('n1', 'x', condition('Ready', 'False'))] });
    cluster.logs.set(`${namespace}/keeper-n1`, 'route 10.1.0.0/26:\nno such device\u001b[2J\n');

    const error = (await thrownBy(() => wait(cluster).done)) as IsthmusError;

    assert.match(error.message, 'node n1 (route 10.1.0.0/26:; no such device\\u{1b}[2J)');
  });

  const gateway: KubeObject = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'istio-eastwestgateway', namespace },
  };
  const programmed = (status: string, observedGeneration: number, generation = 2) =>
    ({
      ...gateway,
      metadata: { ...gateway.metadata, generation },
      status: { conditions: [{ type: 'Programmed', status, reason: 'AddressNotAssigned', message: 'no instances', observedGeneration }] },
    }) as KubeObject;

  test('tells while it waits why the pods of a Deployment do not come', async () => {
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'gateway', namespace },
      spec: { replicas: 2, selector: { matchLabels: { app: 'keeper' } } },
      status: { updatedReplicas: 2 },
    };
    const waiting = { reason: 'ImagePullBackOff', message: 'Back-off pulling image "mirror.example/proxyv2:1"' };
    const stuck = pod('n1', 'new', { containerStatuses: [{ state: { waiting } }] });
    const { done, said } = wait(fakeCluster({ objects: [deployment, stuck] }), [deployment]);

    const error = (await thrownBy(() => done)) as IsthmusError;

    const reason = 'ImagePullBackOff: Back-off pulling image "mirror.example/proxyv2:1"';
    assert.equal(said, [`gateway ready on 0 of 2 (${reason})`]);
    assert.match(error.message, `has 0 of 2 pods (${reason})`);
  });

  test('of a Gateway of the Gateway API is its condition Programmed, for what it is now', async () => {
    const ready = wait(fakeCluster({ objects: [programmed('True', 2)] }), [gateway]);
    const stale = wait(fakeCluster({ objects: [programmed('True', 1)] }), [gateway]);
    const without = wait(fakeCluster({ objects: [programmed('False', 2)] }), [gateway]);

    const shown = `not ready after 60 s: Gateway ${namespace}/istio-eastwestgateway`;
    assert.is(await ready.done, 'istio-eastwestgateway ready on 1 of 1');
    assert.match(await messageOf(stale), `${shown} is not taken by istiod: does one run with`);
    assert.match(await messageOf(without), `${shown} is not programmed: AddressNotAssigned: no instances`);
  });

  test("of Istio's own Gateways is nothing to wait for", async () => {
    assert.is(await wait(fakeCluster(), [{ ...gateway, apiVersion: 'networking.istio.io/v1' }]).done, '');
  });

  test('needs nothing where there is nothing to wait for', async () => {
    assert.is(await wait(fakeCluster(), [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }]).done, '');
  });
});
