// Installing and uninstalling on clusters in memory: order, no needless write, every fault, and every place where a run can die.
import type { IsthmusError } from '../../src/base/errors.ts';
import { install } from '../../src/release/install.ts';
import { readGenerated } from '../../src/release/read.ts';
import type { InstallOptions, ProgressEvent, ReleaseResult } from '../../src/release/types.ts';
import { uninstall } from '../../src/release/uninstall.ts';
import type { FakeCluster } from '../helpers/cluster.ts';
import { canary, type InstallationOptions, installation, out, reconcile, releaseIndex, twoClusters } from '../helpers/installation.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import type { FakeSystem } from '../helpers/system.ts';

async function run(system: FakeSystem, options: InstallOptions = {}): Promise<readonly ReleaseResult[]> {
  return install(await readGenerated(system.files, out), system, options);
}

async function remove(system: FakeSystem): Promise<readonly ReleaseResult[]> {
  return uninstall(await readGenerated(system.files, out), system);
}

const lines = (results: readonly ReleaseResult[]) => results.map(({ cluster, step, outcome }) => `${cluster} ${step}: ${outcome}`);
const problems = (results: readonly ReleaseResult[]) =>
  results
    .filter(({ outcome }) => outcome === 'failed' || outcome === 'skipped')
    .map(({ cluster, step, message }) => `${cluster} ${step}: ${message}`);
const verbs = (system: FakeSystem) => system.commands.map(({ args }) => args[0]);

/** What is in the clusters, without what changes from run to run. */
function stateOf(...clusters: readonly FakeCluster[]): unknown {
  return clusters.map((cluster) => ({
    objects: [...cluster.objects]
      .filter(([path]) => !path.endsWith('/leases/isthmus'))
      .map(([path, { metadata, data, spec, status }]) => ({
        path,
        labels: metadata.labels ?? {},
        annotations: metadata.annotations ?? {},
        data,
        spec,
        status,
      }))
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
    releases: [...cluster.releases.entries()].map(([key, revisions]) => {
      const { status, chart } = (revisions as { status: string; chart: string }[]).at(-1) ?? {};
      return { key, status, chart };
    }),
  }));
}

const holderOf = (cluster: FakeCluster) =>
  (cluster.find('Lease', 'isthmus')?.['spec'] as { holderIdentity?: string } | undefined)?.holderIdentity;

describe('an installation', ({ test }) => {
  test('makes namespaces, releases in order, and the remote secret last', async () => {
    const clusters = twoClusters();
    const system = installation({ clusters });

    const results = await run(system);

    assert.equal(problems(results), []);
    assert.equal(
      lines(results).filter((line) => line.startsWith('cluster2') || line.includes('secret')),
      [
        'cluster2 namespace isthmus-system: installed',
        'cluster2 namespace istio-system: installed',
        'cluster2 route-installer: installed',
        'cluster2 istio-remote: installed',
        'cluster1 remote secret istio-remote-secret-cluster2: installed',
      ],
    );
    assert.is(results.find(({ step }) => step === 'route-installer')?.message, '2 of 2 Jobs done; keeper ready on 2 of 2');
    assert.equal(clusters.one.find('Namespace', 'istio-system')?.metadata.labels, { 'topology.istio.io/network': 'network1' });
  });

  test('names context, namespace and chart on every command, and never a value', async () => {
    const system = installation({ clusters: twoClusters(), env: { KUBECONFIG: '/home/me/config' } });

    await run(system);

    const upgrades = system.commands.filter(({ args }) => args[0] === 'upgrade' && !args.includes('--help'));
    assert.is(
      upgrades[0]?.args.join(' '),
      `upgrade istio-ilb ${out}/clusters/cluster1/istio-ilb --install --reset-values --history-max 5 --kubeconfig /home/me/config --kube-context one --namespace istio-system`,
    );
    assert.is(upgrades.length, 4);
    for (const { args, options } of system.commands) {
      assert.not.match(args.join(' '), '--set');
      assert.match(String(options.env?.['HELM_CONFIG_HOME']), /^\/tmp\/isthmus-helm-/);
    }
  });

  test('writes nothing when everything is as it should be, with at most five helm calls a cluster', async () => {
    const clusters = twoClusters();
    await run(installation({ clusters }));
    const before = [clusters.one.writes.length, clusters.two.writes.length];
    const again = installation({ clusters });

    const results = await run(again);

    assert.equal([clusters.one.writes.length, clusters.two.writes.length], before);
    assert.ok(
      results.every(({ outcome }) => outcome === 'unchanged'),
      lines(results).join('\n'),
    );
    assert.ok(again.commands.filter(({ args }) => args.includes('one')).length <= 5);
    assert.not.ok(verbs(again).some((verb, index) => verb === 'upgrade' && !again.commands[index]?.args.includes('--help')));
  });

  test('installs a release again when an object of it is gone or its values were edited', async () => {
    const clusters = twoClusters();
    await run(installation({ clusters }));
    const lost = clusters.two.find('ConfigMap', 'routes');
    if (lost !== undefined) clusters.two.remove(lost);
    const edited = { [`${out}/checksums.txt`]: `${'0'.repeat(64)}  clusters/cluster2/istio-remote/Chart.yaml\n` };

    const results = await run(installation({ clusters, files: edited }));

    assert.equal(
      lines(results).filter((line) => !line.endsWith('unchanged')),
      ['cluster2 route-installer: upgraded', 'cluster2 istio-remote: upgraded'],
    );
  });

  test('installs a release again when somebody has edited its ConfigMap, and says which', async () => {
    const clusters = twoClusters();
    await run(installation({ clusters }));
    const routes = clusters.two.find('ConfigMap', 'routes');
    if (routes !== undefined) clusters.two.add({ ...routes, data: { header: 'by hand' } });
    const events: ProgressEvent[] = [];

    const results = await run(installation({ clusters }), { onProgress: (event) => events.push(event) });

    assert.equal(
      lines(results).filter((line) => !line.endsWith('unchanged')),
      ['cluster2 route-installer: upgraded'],
    );
    assert.match(JSON.stringify(events), 'installs it again: ConfigMap isthmus-system/routes was edited');
    assert.equal(clusters.two.find('ConfigMap', 'routes')?.['data'], { header: 'mode install\n' });
  });

  test('keeps the token out of commands, files, progress and results', async () => {
    const clusters = twoClusters();
    const system = installation({ clusters });
    const events: ProgressEvent[] = [];

    const results = await run(system, { onProgress: (event) => events.push(event) });

    const secret = clusters.one.find('Secret', 'istio-remote-secret-cluster2');
    assert.match(Buffer.from(String((secret?.['data'] as Record<string, string> | undefined)?.['cluster2']), 'base64').toString(), canary);
    const seen = JSON.stringify([system.commands, [...system.written], events, results, system.output()]);
    assert.not.match(seen, canary);
    assert.not.match(seen, Buffer.from(canary).toString('base64'));
  });

  test('refuses a context that leads to another cluster, before any write', async () => {
    const clusters = twoClusters();
    const system = installation({ clusters: { one: clusters.two, two: clusters.two } });

    const results = await run(system);

    assert.match(
      problems(results).join('\n'),
      'cluster1 connection: context one leads to another cluster than the one that was planned for',
    );
    assert.match(problems(results).join('\n'), 'cluster2 istio-remote: not started, because connection in cluster1 failed');
  });

  test('leaves a cluster whose API server is down, and does the others', async () => {
    const clusters = twoClusters();
    const system = installation({ clusters });
    const { failure } = await import('../../src/base/errors.ts');
    clusters.two.intercept = (request) => {
      if (request.startsWith('APPLY')) throw failure('nothing listens at the address of the API server', { where: 'cluster2' });
    };

    const results = await run(system);

    assert.ok(lines(results).includes('cluster1 route-installer: installed'), lines(results).join('\n'));
    assert.ok(problems(results).every((line) => line.startsWith('cluster2') || line.includes('remote secret')));
    clusters.two.intercept = () => undefined;
    assert.equal(problems(await run(installation({ clusters }))), []);
  });

  test('shows the reason of a Job that failed, and joins nothing', async () => {
    const clusters = twoClusters();
    const failing = (cluster: FakeCluster) => {
      reconcile(cluster);
      const job = cluster.find('Job', 'routes-install-n2');
      if (cluster !== clusters.two || job === undefined) return;
      cluster.add({ ...job, status: { conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded' }] } });
      cluster.add({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p', namespace: 'isthmus-system', labels: { 'job-name': 'routes-install-n2' } },
        spec: { nodeName: 'n2' },
        status: { containerStatuses: [{ state: { terminated: { message: 'ip is BusyBox\nneeds iproute2' } } }] },
      });
    };

    const results = await run(installation({ clusters, reconcile: failing }));

    assert.equal(problems(results), [
      'cluster2 route-installer: routes on node n2 failed: ip is BusyBox; needs iproute2',
      'cluster2 istio-remote: not started, because route-installer failed',
      'cluster1 remote secret istio-remote-secret-cluster2: not started, because route-installer in cluster2 failed',
    ]);
  });

  test('names nodes that are not Ready and does not wait for them', async () => {
    const clusters = twoClusters();
    const node = clusters.one.find('Node', 'n2');
    if (node !== undefined) clusters.one.add({ ...node, status: { conditions: [{ type: 'Ready', status: 'False' }] } });
    const away = (cluster: FakeCluster) => {
      reconcile(cluster);
      for (const gone of [cluster.find('Job', 'routes-install-n2'), cluster.find('Pod', 'keeper-n2')])
        if (cluster === clusters.one && gone !== undefined) cluster.add({ ...gone, status: {} });
    };

    const results = await run(installation({ clusters, reconcile: away }));

    assert.equal(problems(results), []);
    const routes = results.find(({ cluster, step }) => cluster === 'cluster1' && step === 'route-installer');
    assert.is(routes?.message, '1 of 2 Jobs done; keeper ready on 1 of 1; not Ready, pending: n2');
  });

  test('refuses while another run is at work, and takes over from one that died', async () => {
    const clusters = twoClusters();
    await run(installation({ clusters }));
    const lease = clusters.one.find('Lease', 'isthmus');
    const held = (renewTime: string) => ({
      ...(lease as NonNullable<typeof lease>),
      spec: { holderIdentity: 'alice', renewTime, acquireTime: '2026-01-01T00:00:00.000000Z', leaseDurationSeconds: 30 },
    });
    const lost = clusters.one.find('ConfigMap', 'routes');
    if (lost !== undefined) clusters.one.remove(lost);
    let renewals = 0;
    clusters.one.intercept = (request) => {
      if (request.endsWith('/leases/isthmus') && request.startsWith('GET') && renewals < 3)
        clusters.one.add(held(`2026-01-01T00:00:0${renewals++}.000000Z`));
    };

    const refused = await run(installation({ clusters }));
    renewals = 3;
    const taken = await run(installation({ clusters, now: '2026-01-01T00:01:00Z' }));

    assert.match(problems(refused).join('\n'), 'another run of isthmus is at work: alice, since 2026-01-01T00:00:00.000000Z');
    assert.equal(problems(taken), []);
  });

  test('stops before the next write when its Lease was taken', async () => {
    const clusters = twoClusters();
    const thief = (what: string) => {
      const lease = clusters.one.find('Lease', 'isthmus');
      if (what === 'installed route-installer' && lease !== undefined)
        clusters.one.add({ ...lease, spec: { ...(lease['spec'] as object), holderIdentity: 'mallory' } });
    };
    const slow = (cluster: FakeCluster) => {
      reconcile(cluster);
      const job = cluster.find('Job', 'routes-install-n1');
      if (job !== undefined) cluster.add({ ...job, status: {} });
    };

    const results = await run(installation({ clusters, onChange: thief, reconcile: slow }), { timeoutMs: 20_000 });

    assert.not.ok(clusters.two.find('ServiceAccount', 'reader'));
    assert.ok(problems(results).length > 0);
    assert.equal(holderOf(clusters.one), 'mallory');
  });

  test('leaves a release that helm holds pending, unless it is told that nobody works on it', async () => {
    const clusters = twoClusters();
    const now = '2026-01-01T00:00:30Z';
    const pending = {
      revision: 1,
      status: 'pending-install',
      chart: 'istio-ilb-cluster1-x',
      updated: '2026-01-01 00:00:00.1 +0000 UTC',
      objects: [],
    };
    clusters.one.releases.set('istio-system/istio-ilb', [pending]);

    const refused = await run(installation({ clusters, now }));
    const unlocked = await run(installation({ clusters, now }), { unlock: true });

    assert.match(problems(refused).join('\n'), 'cluster1 istio-ilb: helm left this release in state pending-install');
    assert.equal(problems(unlocked), []);
  });

  test('names a release that an earlier out/ installed, with the commands that take it away, and leaves it', async () => {
    const clusters = twoClusters();
    await run(installation({ clusters }));
    const without = releaseIndex();
    without.releases.shift();

    const results = await run(installation({ clusters, index: without }));

    const { outcome, message, hint } = results.find(({ step }) => step === 'istio-ilb') ?? {};
    assert.is(outcome, 'unchanged');
    assert.match(String(message), 'not part of the mesh any more');
    assert.match(
      String(hint),
      /helm uninstall istio-ilb .*--kube-context one --namespace istio-system, then .*Service istio-system\/istiod-ilb/,
    );
    assert.ok(clusters.one.find('Service', 'istiod-ilb'));
  });

  test('refuses a release of the same name from another chart', async () => {
    const clusters = twoClusters();
    clusters.two.releases.set('istio-system/istio-remote', [
      { revision: 1, status: 'deployed', chart: 'base-1.2.3', updated: '', objects: [] },
    ]);

    assert.match(
      problems(await run(installation({ clusters }))).join('\n'),
      'istio-remote: a release of this name is there already, from chart base-1.2.3',
    );
  });

  test('refuses an API server URL that only this machine can use', async () => {
    const clusters = twoClusters();
    const index = releaseIndex();
    Object.assign(index.remoteSecrets[0] ?? {}, { server: 'https://127.0.0.1:6443' });

    const results = await run(installation({ clusters, index }));

    assert.match(
      problems(results).join('\n'),
      'ISM077: the API server is known as https://127.0.0.1:6443, which istiod in cluster1 cannot use',
    );
    assert.not.ok(clusters.one.find('Secret', 'istio-remote-secret-cluster2'));
  });

  test('tells the missing rules, without a write', async () => {
    const clusters = twoClusters();
    const { failure } = await import('../../src/base/errors.ts');
    clusters.one.intercept = (request) => {
      if (request.includes('selfsubjectaccessreviews')) throw failure('cannot ask', { where: 'cluster1' });
    };

    const results = await run(installation({ clusters }));

    assert.match(problems(results).join('\n'), 'cluster1 namespace isthmus-system: cannot ask');
    assert.equal(clusters.one.writes, []);
  });

  test('converges after it died at any of its writes', async () => {
    const goal = twoClusters();
    await run(installation({ clusters: goal }));
    let points = 0;
    for (; ; points++) {
      const clusters = twoClusters();
      const died = await runUntil(points, { clusters }, run);
      if (!died) break;
      const results = await run(installation({ clusters, now: '2026-01-01T00:02:00Z' }));

      assert.equal(problems(results), [], `after write ${points}`);
      assert.equal(stateOf(clusters.one, clusters.two), stateOf(goal.one, goal.two), `after write ${points}`);
    }
    assert.ok(points > 30, `${points} points`);
  });
});

describe('an uninstallation', ({ test }) => {
  test('takes everything away, routes first from the nodes, and proves it', async () => {
    const clusters = twoClusters();
    const before = stateOf(clusters.one, clusters.two);
    await run(installation({ clusters }));
    const system = installation({ clusters });

    const results = await remove(system);

    assert.equal(problems(results), []);
    assert.equal(
      lines(results).filter((line) => line.includes('proof')),
      ['cluster1 proof: absent', 'cluster2 proof: absent'],
    );
    assert.equal(stateOf(clusters.one, clusters.two), before);
    const removal = system.commands.filter(({ options }) => options.input === 'mode: remove\n').map(({ args }) => args[1]);
    assert.equal(removal, ['route-installer', 'route-installer']);
  });

  test('takes away what an earlier out/ installed as well', async () => {
    const clusters = twoClusters();
    const before = stateOf(clusters.one, clusters.two);
    await run(installation({ clusters }));
    const index = releaseIndex();
    index.releases.shift();

    const results = await remove(installation({ clusters, index }));

    assert.equal(problems(results), []);
    assert.is(results.find(({ step }) => step === 'istio-ilb')?.outcome, 'removed');
    assert.equal(stateOf(clusters.one, clusters.two), before);
  });

  test('leaves the agents of routes where the chart that takes the routes away is not in out/ any more', async () => {
    const clusters = twoClusters();
    await run(installation({ clusters }));
    const index = releaseIndex();
    index.releases.splice(1, 1);

    const results = await remove(installation({ clusters, index }));

    assert.match(problems(results).join('\n'), 'cluster1 route-installer: release isthmus-system/route-installer is from an earlier out/');
    assert.ok(clusters.one.find('DaemonSet', 'keeper'));
  });

  test('does nothing, without a write, where nothing is installed', async () => {
    const clusters = twoClusters();

    const results = await remove(installation({ clusters }));

    assert.equal(problems(results), []);
    assert.equal([clusters.one.writes, clusters.two.writes], [[], []]);
  });

  test('keeps a namespace that others use, and a remote secret that others made', async () => {
    const clusters = twoClusters();
    await run(installation({ clusters }));
    clusters.two.add({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'theirs', namespace: 'istio-system' } });
    const secret = clusters.one.find('Secret', 'istio-remote-secret-cluster2');
    if (secret !== undefined) clusters.one.add({ ...secret, metadata: { ...secret.metadata, labels: { 'istio/multiCluster': 'true' } } });

    const results = await remove(installation({ clusters }));

    assert.equal(problems(results), []);
    assert.ok(clusters.two.find('ConfigMap', 'theirs'));
    assert.ok(clusters.one.find('Secret', 'istio-remote-secret-cluster2'));
    assert.match(
      String(results.find(({ cluster, step }) => cluster === 'cluster2' && step === 'namespace istio-system')?.message),
      'configmaps/theirs',
    );
  });

  test('converges after it died at any of its writes', async () => {
    const goal = stateOf(...Object.values(twoClusters()));
    let points = 0;
    for (; ; points++) {
      const clusters = twoClusters();
      await run(installation({ clusters }));
      const died = await runUntil(points, { clusters }, remove);
      if (!died) break;
      const results = await remove(installation({ clusters, now: '2026-01-01T00:02:00Z' }));

      assert.equal(problems(results), [], `after write ${points}`);
      assert.equal(stateOf(clusters.one, clusters.two), goal, `after write ${points}`);
    }
    assert.ok(points > 20, `${points} points`);
  });

  test('that died at any of its writes is undone by an installation', async () => {
    const goal = twoClusters();
    await run(installation({ clusters: goal }));
    let points = 0;
    for (; ; points++) {
      const clusters = twoClusters();
      await run(installation({ clusters }));
      const died = await runUntil(points, { clusters }, remove);
      if (!died) break;
      const results = await run(installation({ clusters, now: '2026-01-01T00:02:00Z' }));

      assert.equal(problems(results), [], `after write ${points}`);
      assert.equal(stateOf(clusters.one, clusters.two), stateOf(goal.one, goal.two), `after write ${points}`);
    }
    assert.ok(points > 20, `${points} points`);
  });
});

const killed = new Error('killed');

/** Runs until `count` writes were done; then nothing of the run reaches a cluster any more. True when it died of that. */
async function runUntil(count: number, options: InstallationOptions, body: (system: FakeSystem) => Promise<unknown>): Promise<boolean> {
  let writes = 0;
  let dead = false;
  const tick = () => {
    if (dead || writes++ === count) {
      dead = true;
      throw killed;
    }
  };
  const intercept = (request: string) => {
    if (dead) throw killed;
    const isWrite = !request.startsWith('GET') && !request.includes('dryRun') && !request.includes('selfsubject');
    if (isWrite) tick();
  };
  for (const cluster of Object.values(options.clusters)) cluster.intercept = intercept;
  const system = installation({ ...options, onChange: tick });
  const error: unknown = await thrownBy(async () => {
    await body(system);
    throw new Error('finished');
  });
  for (const cluster of Object.values(options.clusters)) cluster.intercept = () => undefined;
  if (!dead) assert.is((error as IsthmusError).message, 'finished');
  return dead;
}
