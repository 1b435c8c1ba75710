// Probe pods in clusters in memory: who asks whom, what is made of it, and that nothing stays behind.
import { failure, type IsthmusError } from '../../../src/base/errors.ts';
import { podLayer } from '../../../src/verify/pods/layer.ts';
import { probePod } from '../../../src/verify/pods/pod.ts';
import type { Check } from '../../../src/verify/types.ts';
import { assert, describe, thrownBy } from '../../helpers/suite.ts';
import { bothWays, createWorld, envOf, namespace, node, nodeOf, sceneOf, type World } from '../world.ts';

function describeCheck({ from, to, name, message }: Check): string {
  return `${from.cluster}/${from.node}${to === undefined ? '' : ` ${to.cluster}/${to.node}`} ${name}: ${message}`;
}

async function failed(world: World): Promise<string[]> {
  const { checks } = await podLayer.run(sceneOf(world), bothWays);
  return checks.filter(({ outcome }) => outcome === 'failed').map(describeCheck);
}

function leftPods(world: World): string[] {
  return [...world.pods(world.one), ...world.pods(world.two)].map(({ metadata }) => metadata.name);
}

const stale = probePod({
  ...{ name: 'isthmus-verify-dead-listen-0', namespace, node: 'n1', run: 'dead', lifetimeMs: 1 },
  settings: { image: 'x', pullPolicy: 'Never', pullSecrets: [] },
});

describe('the layer of pods', ({ test }) => {
  test('lets a pod of every node ask the pods of every node of the other cluster', async () => {
    const world = createWorld();
    const passages: string[] = [];
    world.network = (from, to) => {
      passages.push(`${from} ${to}`);
      return {};
    };

    const { checks } = await podLayer.run(sceneOf(world), bothWays);

    const expected = ['one', 'two'].flatMap((from) =>
      ['n1', 'n2'].flatMap((a) => ['n1', 'n2'].map((b) => `${from}/${a} ${from === 'one' ? 'two' : 'one'}/${b}`)),
    );
    assert.equal(passages.sort(), expected.sort());
    assert.is(checks.filter(({ outcome }) => outcome === 'passed').length, 8 * 4);
    assert.equal(leftPods(world), []);
  });

  test('asks with pods that hold no privilege, one of each kind on every node', async () => {
    const world = createWorld();

    await podLayer.run(sceneOf(world), bothWays);

    const [first] = world.made;
    const spec = first?.pod['spec'] as Record<string, unknown>;
    assert.is(spec['hostNetwork'], undefined);
    assert.is(spec['automountServiceAccountToken'], false);
    assert.is(first?.pod.metadata.labels?.['sidecar.istio.io/inject'], 'false');
    const places = world.made.map(
      ({ cluster, pod }) => `${cluster}/${nodeOf(pod)} ${pod.metadata.labels?.['app.kubernetes.io/component']}`,
    );
    const expected = ['one', 'two'].flatMap((cluster) =>
      ['n1', 'n2'].flatMap((on) => ['ask', 'listen'].map((kind) => `${cluster}/${on} ${kind}`)),
    );
    assert.equal(places.sort(), expected.sort());
  });

  test('starts each asking pod with another target', async () => {
    const world = createWorld();

    await podLayer.run(sceneOf(world), bothWays);

    const starts = world.made.flatMap(({ cluster, pod }) => (cluster === 'one' ? (envOf(pod, 'PROBE_TARGETS')?.slice(0, 1) ?? []) : []));
    assert.equal(starts.sort(), ['0', '1']);
  });

  test('names what fails between two nodes, in that direction', async () => {
    const world = createWorld();
    const broken = new Map<string, object>([
      ['one/n1 two/n2', { tcp: 'silent', ping: 'lost', full: 'untested' }],
      ['two/n1 one/n1', { source: '9.9.9.9' }],
      ['two/n2 one/n1', { full: 'lost' }],
      ['two/n2 one/n2', { full: 'stalled', ping: 'unavailable' }],
    ]);
    world.network = (from, to) => broken.get(`${from} ${to}`) ?? {};

    const told = await failed(world);

    assert.equal(
      told.map((text) => text.replace(/10\.2\.1\.\d+/, 'POD')),
      [
        'one/n1 two/n2 ping: no answer',
        'one/n1 two/n2 tcp: no answer',
        'two/n1 one/n1 source address: POD arrives as 9.9.9.9',
        'two/n2 one/n1 full-size packets: a packet of 1450 bytes is lost',
        'two/n2 one/n2 full-size packets: small packets pass, a larger transfer stalls',
      ],
    );
  });

  test('says why a pod does not run, and tries the other nodes', async () => {
    const world = createWorld();
    world.kubelet = (pod) => {
      if (nodeOf(pod) !== 'n2') return undefined;
      return { phase: 'Pending', containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } }] };
    };

    const told = await failed(world);

    assert.equal(told, ['one/n2 probe pod: ImagePullBackOff: no such image', 'two/n2 probe pod: ImagePullBackOff: no such image']);
    assert.is(world.made.filter(({ pod }) => envOf(pod, 'PROBE_TARGETS') !== undefined).length, 2);
    assert.equal(leftPods(world), []);
  });

  test('gives up on a pod that finds no place when the time is over', async () => {
    const world = createWorld();
    const conditions = [{ type: 'PodScheduled', status: 'False', message: '0/2 nodes are available: Too many pods' }];
    world.kubelet = (pod) => (nodeOf(pod) === 'n1' ? { phase: 'Pending', conditions } : undefined);

    const told = await failed(world);

    assert.is(told[0], 'one/n1 probe pod: 0/2 nodes are available: Too many pods');
    assert.equal(leftPods(world), []);
  });

  test('shows what the API server refuses', async () => {
    const world = createWorld();
    const run = world.one.intercept;
    world.one.intercept = (request) => {
      if (request.startsWith('CREATE')) throw failure('pods is forbidden: exceeded quota');
      return run(request);
    };

    const told = await failed(world);

    assert.equal(told, ['one/n1 probe pod: pods is forbidden: exceeded quota', 'one/n2 probe pod: pods is forbidden: exceeded quota']);
    assert.equal(leftPods(world), []);
  });

  test('does not take silence for success', async () => {
    const world = createWorld();
    world.kubelet = (pod) => {
      if (envOf(pod, 'PROBE_TARGETS') === undefined) return undefined;
      setImmediate(() => world.one.logs.clear());
      return undefined;
    };
    const run = world.one.intercept;
    world.one.intercept = async (request) => {
      await run(request);
      world.one.logs.clear();
    };

    const told = await failed(world);

    assert.is(told.filter((text) => text.endsWith('tcp: the probe pod said nothing about it')).length, 4);
  });

  test('needs a node that is Ready', async () => {
    const world = createWorld();
    world.one.add(node('n1', { ready: false }), node('n2', { ready: false }));

    assert.equal(await failed(world), ['one/undefined probe pods: no node is Ready, so nothing can be tried']);
  });

  test('removes the pods of a run that died, before it makes its own', async () => {
    const world = createWorld();
    world.two.add(stale);

    await podLayer.run(sceneOf(world), bothWays);

    assert.equal(leftPods(world), []);
    assert.is(world.two.writes[0], `DELETE /api/v1/namespaces/${namespace}/pods/isthmus-verify-dead-listen-0`);
  });

  test('asks for leave before it writes, and tidies up without', async () => {
    const world = createWorld();
    world.one.add(stale);
    const enter = () => Promise.reject(failure('another run of isthmus is at work'));
    const scene = sceneOf(world, { change: (cluster) => ({ ...cluster, enter }) });

    const error = await thrownBy(() => podLayer.run(scene, bothWays));

    assert.is((error as IsthmusError).message, 'another run of isthmus is at work');
    assert.equal([...world.one.writes, ...world.two.writes], []);
  });

  test('removes its pods when an API server fails half-way', async () => {
    const world = createWorld();
    const run = world.two.intercept;
    let reads = 0;
    world.two.intercept = (request) => {
      if (request.endsWith('/pods') && ++reads === 2) throw failure('the API server is gone');
      return run(request);
    };

    const error = await thrownBy(() => podLayer.run(sceneOf(world), bothWays));

    assert.is((error as IsthmusError).message, 'the API server is gone');
    assert.ok(world.made.length > 0);
    assert.equal(leftPods(world), []);
  });

  test('tells how to delete what it could not delete', async () => {
    const world = createWorld();
    world.one.intercept = ((run) => (request: string) => {
      if (request.startsWith('DELETE')) throw failure('403 Forbidden');
      return run(request);
    })(world.one.intercept);

    const { left } = await podLayer.run(sceneOf(world), bothWays);

    assert.equal(left, [
      'one: probe pods could not be deleted: 403 Forbidden; delete them with `kubectl delete pods -n isthmus-system -l isthmus/run=run1`',
    ]);
  });

  test('tries 50 nodes of a large cluster, and says so', async () => {
    const world = createWorld();
    world.one.add(...Array.from({ length: 58 }, (_, index) => node(`n${index + 3}`)));

    const { notes = [], checks } = await podLayer.run(sceneOf(world), bothWays);

    assert.equal(notes, ['one: 50 of 60 nodes were tried, spread evenly; the routes of all nodes were looked at.']);
    assert.is(checks.length, 50 * 2 * 2 * 4);
  });
});
