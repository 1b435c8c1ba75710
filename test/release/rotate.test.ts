// Rotation on clusters in memory: the order of things, what is refused, every place where a run can die, and no token where it can be read.
import { failure, type IsthmusError } from '../../src/base/errors.ts';
import type { KubeObject } from '../../src/base/objects.ts';
import { parseYaml } from '../../src/base/yaml.ts';
import { install } from '../../src/release/install.ts';
import { lossOf } from '../../src/release/istiod-reads.ts';
import { readGenerated } from '../../src/release/read.ts';
import { type RotateOptions, rotateSecrets } from '../../src/release/rotate.ts';
import type { ProgressEvent, ReleaseResult } from '../../src/release/types.ts';
import { uninstall } from '../../src/release/uninstall.ts';
import { type FakeCluster, fakeCluster } from '../helpers/cluster.ts';
import { installation, out, reconcile, releaseIndex, twoClusters } from '../helpers/installation.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import type { FakeSystem } from '../helpers/system.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
/** Kubernetes signs what it always says about a Secret of that name: with RSA a token is the same each time. */
const tokenOf = (secret: string) => `token-of-${secret}`;
const encoded = (text: string) => Buffer.from(text).toString('base64');

interface PodOptions {
  readonly image?: string;
  readonly startedAt?: number;
}

function istiodPod(name: string, { image = 'registry/pilot:1.31.0', startedAt = start - 3_600_000 }: PodOptions = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'istio-system', labels: { app: 'istiod', istio: 'pilot' } },
    spec: { containers: [{ image }] },
    status: {
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ state: { running: { startedAt: new Date(startedAt).toISOString() } } }],
    },
  };
}

interface World {
  readonly clusters: { readonly one: FakeCluster; readonly two: FakeCluster } & Readonly<Record<string, FakeCluster>>;
  readonly index: ReturnType<typeof releaseIndex>;
  /** Pods of istiod that do not look at remote secrets any more. */
  readonly stuck: Set<string>;
  /** What was seen wrong at any moment. */
  readonly wrong: string[];
  now: number;
  system(change?: { onWrite?: () => void }): FakeSystem;
}

interface WorldOptions {
  readonly pods?: readonly KubeObject[];
  /** Whether the API server of the remote keeps a record of tokens. */
  readonly tracking?: boolean;
  /** A second primary, cluster3, reads cluster2 as well. */
  readonly secondPrimary?: boolean;
}

/** An installed mesh with Kubernetes' token controller, and istiods that read remote secrets when these change. */
async function installed(options: WorldOptions = {}): Promise<World> {
  const { one, two } = twoClusters();
  const three = fakeCluster({ uid: 'uid-3' });
  const index = releaseIndex();
  const world: World = {
    clusters: options.secondPrimary === true ? { one, two, three } : { one, two },
    index,
    stuck: new Set(),
    wrong: [],
    now: start,
    system: ({ onWrite } = {}) => {
      world.now += 120_000;
      const system = installation({
        clusters: world.clusters,
        index,
        now: new Date(world.now).toISOString(),
        reconcile: () => settle(world),
      });
      for (const cluster of Object.values(world.clusters)) {
        cluster.now = () => system.clock.now();
        cluster.intercept = (request) => {
          settle(world);
          if (isWrite(request)) onWrite?.();
        };
      }
      return system;
    },
  };
  if (options.tracking !== false) two.add(trackingRecord);
  await install(await readGenerated(world.system().files, out), world.system());
  if (options.secondPrimary === true) addPrimary(index, one, three);
  for (const cluster of [one, ...(options.secondPrimary === true ? [three] : [])])
    cluster.add(...(options.pods ?? [istiodPod('istiod-a')]));
  settle(world);
  for (const cluster of Object.values(world.clusters)) Object.assign(cluster, { writes: [] });
  return world;
}

const trackingRecord: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'kube-apiserver-legacy-service-account-token-tracking', namespace: 'kube-system' },
};

function addPrimary(index: ReturnType<typeof releaseIndex>, one: FakeCluster, three: FakeCluster): void {
  const [secret] = index.remoteSecrets;
  index.clusters.push({ ...(index.clusters[0] as (typeof index.clusters)[number]), name: 'cluster3', context: 'three', uid: 'uid-3' });
  index.remoteSecrets.push({ ...(secret as NonNullable<typeof secret>), primary: 'cluster3' });
  three.add(one.find('Secret', 'istio-remote-secret-cluster2') as KubeObject);
  for (const name of ['istio-system', 'isthmus-system']) three.add({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

const isWrite = (request: string) => !request.startsWith('GET') && !/review/.test(request);

/** What controllers and istiods do of themselves, and the one thing that must always be true. */
function settle(world: World): void {
  const { two, ...primaries } = world.clusters;
  reconcile(two);
  reconcile(world.clusters.one);
  for (const secret of accountSecrets(two)) {
    const { token } = (secret['data'] ?? {}) as { token?: string };
    const usable = token === undefined || token === encoded('canary-token-c0ffee') ? encoded(tokenOf(secret.metadata.name)) : token;
    if (usable !== token) two.add({ ...secret, data: { token: usable, 'ca.crt': 'Y2E=' } });
  }
  for (const primary of Object.values(primaries)) readRemote(world, primary);
}

function accountSecrets({ objects }: FakeCluster): KubeObject[] {
  return [...objects.values()].filter(
    ({ kind, metadata, type }) => kind === 'Secret' && (metadata.name === 'reader-token' || type === 'kubernetes.io/service-account-token'),
  );
}

const lastRead = new WeakMap<FakeCluster, Map<string, string>>();

function readRemote({ clusters: { two }, stuck, wrong }: World, primary: FakeCluster): void {
  const token = heldToken(primary);
  if (token === undefined) return;
  const holder = accountSecrets(two).find(({ data }) => (data as { token?: string }).token === encoded(token));
  if (holder === undefined) return void wrong.push(`the primary holds a token that is refused: ${token}`);
  const read = lastRead.get(primary) ?? new Map<string, string>();
  lastRead.set(primary, read);
  for (const pod of [...primary.objects.values()].filter(({ kind, metadata }) => kind === 'Pod' && metadata.labels?.['app'] === 'istiod')) {
    const { name } = pod.metadata;
    if (stuck.has(name) || read.get(name) === token) continue;
    if (read.has(name))
      primary.logs.set(`istio-system/${name}`, `2026-01-01T00:00:00Z info kube controller for cluster2 synced after 12ms\n`);
    read.set(name, token);
    two.add({
      ...holder,
      metadata: { ...holder.metadata, labels: { ...holder.metadata.labels, 'kubernetes.io/legacy-token-last-used': '2026-01-01' } },
    });
  }
  const using = [...read].find(([, used]) => !accountSecrets(two).some(({ data }) => (data as { token?: string }).token === encoded(used)));
  if (using !== undefined) wrong.push(`${using[0]} reads with a token that is refused`);
}

function heldToken(primary: FakeCluster): string | undefined {
  const data = primary.find('Secret', 'istio-remote-secret-cluster2')?.['data'] as Record<string, string> | undefined;
  if (data === undefined) return undefined;
  const text = Buffer.from(data['cluster2'] ?? '', 'base64').toString();
  return (parseYaml(text, 'kubeconfig').value as { users: { user: { token: string } }[] }).users[0]?.user.token;
}

async function rotate(world: World, options: RotateOptions = {}, system = world.system()): Promise<readonly ReleaseResult[]> {
  return rotateSecrets(await readGenerated(system.files, out), system, { timeoutMs: 60_000, ...options });
}

const lines = (results: readonly ReleaseResult[]) => results.map(({ cluster, step, outcome }) => `${cluster} ${step}: ${outcome}`);
const messages = (results: readonly ReleaseResult[]) => results.flatMap(({ message = '', hint = '' }) => `${message} ${hint}`).join('\n');
const rotatedSecrets = ({ clusters: { two } }: World) =>
  accountSecrets(two)
    .map(({ metadata }) => metadata.name)
    .filter((name) => name !== 'reader-token');
const validTokens = ({ clusters: { two } }: World) =>
  accountSecrets(two)
    .map(({ data }) => Buffer.from((data as { token: string }).token, 'base64').toString())
    .filter((token) => token.startsWith('token-of-'));

describe('a rotation', ({ test }) => {
  test('hands a new token to the primary, waits for istiod, and revokes the old one', async () => {
    const world = await installed();
    const before = heldToken(world.clusters.one);

    const results = await rotate(world);

    const [name = ''] = rotatedSecrets(world);
    assert.equal(lines(results), [
      'cluster2 token of reader: installed',
      'cluster1 remote secret istio-remote-secret-cluster2: upgraded',
      'cluster2 old token: removed',
    ]);
    assert.match(name, /^reader-token-20260101-\d{6}$/);
    assert.is(before, tokenOf('reader-token'));
    assert.is(heldToken(world.clusters.one), tokenOf(name));
    assert.equal(validTokens(world), [tokenOf(name)]);
    assert.is(results.at(-1)?.message, 'the API server refuses it');
    assert.equal(world.wrong, []);
  });

  test('leaves the Secret of the chart to helm, without its token', async () => {
    const world = await installed();

    await rotate(world);

    const chart = world.clusters.two.find('Secret', 'reader-token');
    assert.is(chart?.metadata.annotations?.['meta.helm.sh/release-name'], 'istio-remote');
    assert.equal(chart?.['data'], { token: encoded('revoked'), 'ca.crt': 'Y2E=' });
  });

  test('that follows another one deletes the Secret before it', async () => {
    const world = await installed();
    await rotate(world);
    const [first] = rotatedSecrets(world);

    await rotate(world);

    const names = rotatedSecrets(world);
    assert.is(names.length, 1);
    assert.is.not(names[0], first);
    assert.equal(validTokens(world), names.map(tokenOf));
    assert.equal(world.wrong, []);
  });

  test('is not undone by install, which then has nothing to write', async () => {
    const world = await installed();
    await rotate(world);
    const held = heldToken(world.clusters.one);
    for (const cluster of Object.values(world.clusters)) cluster.writes.length = 0;
    const system = world.system();

    const results = await install(await readGenerated(system.files, out), system);

    assert.ok(
      results.every(({ outcome }) => outcome === 'unchanged'),
      lines(results).join('\n'),
    );
    assert.is(heldToken(world.clusters.one), held);
    assert.equal([world.clusters.one.writes, world.clusters.two.writes], [[], []]);
  });

  test('stays done when the Secret of the chart is deleted: helm makes it again, Kubernetes its old token, and install revokes it', async () => {
    const world = await installed();
    await rotate(world);
    const held = heldToken(world.clusters.one) ?? '';
    world.clusters.two.remove(world.clusters.two.find('Secret', 'reader-token') as KubeObject);
    const system = world.system();

    await install(await readGenerated(system.files, out), system);

    assert.equal(validTokens(world), [held]);
    assert.is(heldToken(world.clusters.one), held);
  });

  test('leaves nothing behind when the mesh is uninstalled', async () => {
    const world = await installed();
    await rotate(world);
    const system = world.system();

    const results = await uninstall(await readGenerated(system.files, out), system);

    assert.equal(
      results.filter(({ outcome }) => outcome === 'failed').map(({ message }) => message),
      [],
    );
    assert.equal(rotatedSecrets(world), []);
    assert.ok(lines(results).includes('cluster2 rotated tokens: removed'));
  });

  test('hands the token to every primary that reads the cluster, and waits for all of them', async () => {
    const world = await installed({ secondPrimary: true });

    const results = await rotate(world);

    const [name = ''] = rotatedSecrets(world);
    assert.equal([heldToken(world.clusters.one), heldToken(world.clusters['three'] as FakeCluster)], [tokenOf(name), tokenOf(name)]);
    assert.is(results.at(-1)?.outcome, 'removed');
    assert.equal(world.wrong, []);
  });

  test('that dies at any write is finished by the next run, with the same token, and the primary always holds one that is valid', async () => {
    let deaths = 0;
    for (let last = 1; ; last++) {
      const world = await installed();
      let count = 0;
      let alive = true;
      const onWrite = () => {
        if (++count >= last) alive = false;
        if (!alive) throw new Error('killed');
      };
      const system = world.system({ onWrite });
      for (const cluster of Object.values(world.clusters)) {
        const settled = cluster.intercept;
        cluster.intercept = (request) => {
          if (!alive) throw new Error('killed');
          return settled(request);
        };
      }
      const died = await rotate(world, {}, system).then(
        () => false,
        (error: Error) => error.message === 'killed',
      );
      const begun = rotatedSecrets(world);

      const results = await rotate(world);

      const names = rotatedSecrets(world);
      const held = heldToken(world.clusters.one) ?? '';
      assert.equal(world.wrong, [], `killed at write ${last}`);
      assert.is(results.at(-1)?.outcome === 'failed', false, messages(results));
      assert.equal(validTokens(world), [held], `killed at write ${last}`);
      assert.is(names.length, 1);
      if (!died) break;
      deaths++;
      const finished = begun.length === 1 && results[0]?.outcome === 'unchanged';
      if (finished) assert.equal(names, begun);
    }
    assert.ok(deaths >= 6, `${deaths} places to die`);
  });

  test('does not revoke while one istiod of several has not read the new token; a restart of it and another run end it', async () => {
    const world = await installed({ pods: [istiodPod('istiod-a'), istiodPod('istiod-b')] });
    world.stuck.add('istiod-b');

    const first = await rotate(world);

    assert.match(messages(first), 'istiod-b has not read cluster2 with the new token yet; both tokens stay valid');
    assert.match(messages(first), 'restart istiod in cluster1 and run this again');
    assert.is(validTokens(world).length, 2);
    assert.equal(lines(first).at(-1), 'cluster2 old token: skipped');
    const begun = rotatedSecrets(world);

    world.clusters.one.remove(istiodPod('istiod-b'));
    world.now += 300_000;
    world.clusters.one.add(istiodPod('istiod-c', { startedAt: world.now }));
    const second = await rotate(world);

    assert.is(second[0]?.outcome, 'unchanged');
    assert.is(second.at(-1)?.outcome, 'removed');
    assert.equal(rotatedSecrets(world), begun);
  });

  test('does not take the word of istiod alone where the API server keeps a record of tokens', async () => {
    const world = await installed();
    const { two } = world.clusters;
    const system = world.system();
    const settled = two.intercept;
    two.intercept = async (request) => {
      await settled(request);
      for (const secret of accountSecrets(two)) {
        const { 'kubernetes.io/legacy-token-last-used': _used, ...labels } = secret.metadata.labels ?? {};
        two.add({ ...secret, metadata: { ...secret.metadata, labels } });
      }
    };

    const results = await rotate(world, {}, system);

    assert.match(messages(results), 'the API server of cluster2 has not seen the new token yet');
    assert.is(validTokens(world).length, 2);
  });

  test('needs no such record where Kubernetes is too old to keep one', async () => {
    const world = await installed({ tracking: false });

    assert.is((await rotate(world)).at(-1)?.outcome, 'removed');
  });

  test('is refused for an istiod that would lose endpoints, before anything is written, unless the user accepts it', async () => {
    const world = await installed({ pods: [istiodPod('istiod-a', { image: 'registry/pilot:1.30.3-distroless' })] });

    const refused = await rotate(world);

    assert.match(messages(refused), 'istiod 1.30.3 in cluster1 loses the endpoints of cluster2 until restart');
    assert.equal(world.clusters.two.writes.concat(world.clusters.one.writes), []);
    assert.is((await rotate(world, { acceptLoss: true })).at(-1)?.outcome, 'removed');
  });

  test('knows which versions keep endpoints', () => {
    const versions = ['0.8.0', '1.24.0', '1.29.6', '1.30.0', '1.30.3', '1.30.4', '1.31.0-rc.0', '1.31.0', '1.32.1', 'latest'];

    assert.equal(versions.map(lossOf), [
      ...['for a moment', 'for a moment', 'for a moment', 'until restart', 'until restart'],
      ...[undefined, undefined, undefined, undefined, undefined],
    ]);
  });

  test('is refused where the mesh is not installed, and for a cluster that no primary reads', async () => {
    const world = await installed();
    world.clusters.one.remove(world.clusters.one.find('Secret', 'istio-remote-secret-cluster2') as KubeObject);

    const results = await rotate(world);
    const error = (await thrownBy(() => rotate(world, { clusters: ['cluster1'] }))) as IsthmusError;

    assert.match(messages(results), 'does not exist in cluster1 Run `isthmus install` first.');
    assert.equal(rotatedSecrets(world), []);
    assert.match(error.message, 'no primary reads a cluster cluster1');
    assert.is(error.kind, 'usage');
  });

  test('fails while the API server still takes the old token, and says so where it may not be asked', async () => {
    const [stubborn, silent] = [await installed(), await installed()];
    const ask = async (world: World, answer: () => void) => {
      const system = world.system();
      const settled = world.clusters.two.intercept;
      world.clusters.two.intercept = async (request) => {
        await settled(request);
        if (request.includes('tokenreviews')) answer();
      };
      return rotate(world, {}, system);
    };

    const kept = await ask(stubborn, () =>
      stubborn.clusters.two.add({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'copy', namespace: 'istio-system' },
        data: { token: encoded(tokenOf('reader-token')) },
      }),
    );
    const forbidden = await ask(silent, () => {
      throw failure('forbidden', { cause: { status: 403 } });
    });

    assert.match(messages(kept), 'the API server still takes the old token');
    assert.match(messages(forbidden), 'this user may not ask the API server');
    assert.is(forbidden.at(-1)?.outcome, 'removed');
  });

  test('waits for nobody else: where another run holds the Lease, it writes nothing', async () => {
    const world = await installed();
    const system = world.system();
    let renewed = 0;
    const spec = () => ({
      holderIdentity: 'someone',
      leaseDurationSeconds: 30,
      acquireTime: new Date(world.now).toISOString(),
      renewTime: new Date(world.now + ++renewed * 1000).toISOString(),
    });
    const settled = world.clusters.one.intercept;
    world.clusters.one.intercept = async (request) => {
      await settled(request);
      if (request.includes('/leases/'))
        world.clusters.one.add({
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { name: 'isthmus', namespace: 'isthmus-system' },
          spec: spec(),
        });
    };

    const results = await rotate(world, {}, system);

    assert.match(messages(results), 'another run of isthmus is at work: someone');
    assert.equal(rotatedSecrets(world), []);
  });

  test('shows no token to anyone', async () => {
    const world = await installed({ pods: [istiodPod('istiod-a'), istiodPod('istiod-b')] });
    world.stuck.add('istiod-b');
    const system = world.system();
    const events: ProgressEvent[] = [];

    const results = await rotate(world, { onProgress: (event) => void events.push(event) }, system);

    const all = JSON.stringify([results, events, system.commands, system.output(), [...system.written]]);
    for (const token of validTokens(world))
      assert.not(all.includes(token) || all.includes(encoded(token).slice(0, 20)), 'a token was shown');
  });
});
