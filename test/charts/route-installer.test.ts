// Chart route-installer: the common tests of a chart, its digest, sizes, Jobs and security, and the agent on what it renders.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { KubeObject } from '../../src/base/objects.ts';
import { ownedProtocols } from '../../src/base/route-protocols.ts';
import { maxJobNodes, RouteInstallerValues } from '../../src/plan/values/route-installer.ts';
import { onNode } from '../agent/node.ts';
import { chartFolder, describeChart } from '../helpers/chart.ts';
import { objectOf, refusedByBoth, runHelm, template, templateBoth } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';

const chart = chartFolder('route-installer');
const routes = [
  { dst: '20.1.0.0/26', via: '10.0.7.2' },
  { dst: '20.1.0.64/26', via: '10.0.7.3', mtu: 1400 },
];
const values = { clusterName: 'c1', routes, guard: { remotePodCIDRs: ['20.1.0.0/16'] }, nodes: ['n1', 'n2'] };

interface PodSpec {
  readonly affinity?: unknown;
  readonly containers: readonly { readonly image: string; readonly env: readonly { readonly name: string; readonly value: string }[] }[];
}

interface Workload extends KubeObject {
  readonly spec: { readonly template: { readonly metadata: KubeObject['metadata']; readonly spec: PodSpec } };
}

/** The mounted files by name, as the projected volume puts them together. */
function mounted(objects: readonly KubeObject[]): ReadonlyMap<string, string> {
  const maps = objects.filter(({ kind, metadata }) => kind === 'ConfigMap' && !metadata.name.endsWith('-agent'));
  return new Map(maps.flatMap(({ data }) => Object.entries(data as Record<string, string>)));
}

function jobs(objects: readonly KubeObject[]): Workload[] {
  return objects.filter(({ kind }) => kind === 'Job') as Workload[];
}

function revisionOf(workload: Workload | undefined): string | undefined {
  return workload?.spec.template.metadata.labels?.['isthmus/revision'];
}

function manyValues(count: number, route: (index: number) => (typeof routes)[number]) {
  return {
    clusterName: 'c1',
    guard: { remotePodCIDRs: ['fd20::/16', '20.0.0.0/8'] },
    routes: Array.from({ length: count }, (_, index) => route(index)),
  };
}

/** As long as a route can be. */
function longRoute(index: number): (typeof routes)[number] {
  const group = (0x1000 + index).toString(16);
  return { dst: `fd20:1111:2222:3333:4444:5555:6666:${group}/128`, via: `fd07:1111:2222:3333:4444:5555:7777:${group}`, mtu: 65535 };
}

describeChart({ name: 'route-installer', schema: RouteInstallerValues, namespace: 'isthmus-system', kubeVersions: ['1.34.0', '1.10.0'] });

describe('desired routes of route-installer', ({ test }) => {
  test('carry the digest of everything after the first line', async () => {
    const files = mounted(await templateBoth(chart, { values: { ...values, routes: [...routes, ...manyValues(5000, longRoute).routes] } }));

    const [first = '', ...rest] = (files.get('header') ?? '').split('\n');
    const body = `${rest.join('\n')}${files.get('routes-0')}${files.get('routes-1')}`;
    assert.equal([...files.keys()].sort(), ['header', 'routes-0', 'routes-1']);
    assert.is(first, `isthmus-routes 1 2 ${createHash('sha256').update(body).digest('hex')}`);
  });

  test('are one line each, in the order given', async () => {
    const files = mounted(await templateBoth(chart, { values }));

    assert.is(files.get('routes-0'), '20.1.0.0/26 10.0.7.2\n20.1.0.64/26 10.0.7.3 1400\n');
  });

  test('fit into ConfigMaps of 512 KiB and a release of 1 MiB, 20,000 of them and the longest', async () => {
    const many = {
      ...manyValues(20_000, longRoute),
      nodes: Array.from({ length: maxJobNodes }, (_, index) => `node-${index}.example.com`),
    };
    const args = ['install', 'r', chart, '--dry-run=client', '--output', 'json', '--namespace', 'isthmus-system', '--values', '-'];

    const release = await runHelm('helm4', args, JSON.stringify(many));
    const objects = await template('helm4', chart, { values: many });

    assert.is(release.code, 0, release.stderr);
    const stored = gzipSync(release.stdout, { level: 9 }).toString('base64').length;
    assert.ok(stored < 1024 * 1024, `${stored} bytes`);
    for (const [name, text] of mounted(objects)) assert.ok(Buffer.byteLength(text) < 512 * 1024, `${name}: ${text.length} bytes`);
    assert.is(jobs(objects).length, maxJobNodes);
  });

  test('are what the agent on a node takes, installs and removes', () =>
    onNode('dash', async (node) => {
      const outcomes: string[] = [];
      for (const mode of ['install', 'remove']) {
        const objects = await template('helm3', chart, { values: { ...values, mode } });
        for (const [name, text] of mounted(objects)) writeFileSync(join(node.folder, 'desired', name), text);
        const { code, output } = await node.agent('once', { ISTHMUS_REVISION: revisionOf(jobs(objects)[0]) ?? '' });
        assert.is(code, 0, output);
        outcomes.push((await node.rows('proto 157')).join('; '));
      }

      assert.equal(outcomes, ['20.1.0.0/26 via 10.0.7.2 dev eth0; 20.1.0.64/26 via 10.0.7.3 dev eth0 mtu 1400', '']);
    }));
});

describe('workloads of route-installer', ({ test }) => {
  test('are a Job for each node, bound to it, and a keeper, all of one revision', async () => {
    const objects = await templateBoth(chart, { values: { ...values, nodes: ['n1', 'n2', 'n1'] } });

    const bound = jobs(objects).map(({ spec }) => JSON.stringify(spec.template.spec.affinity));
    const keeper = objectOf(objects, 'DaemonSet', 'release-keeper') as Workload;
    assert.is(bound.length, 2);
    for (const node of ['n1', 'n2'])
      assert.ok(bound.some((text) => text.includes(`"key":"metadata.name","operator":"In","values":["${node}"]`)));
    assert.match(revisionOf(keeper) ?? '', /^[0-9a-f]{12}$/);
    for (const workload of [...jobs(objects), keeper]) {
      assert.is(revisionOf(workload), revisionOf(keeper));
      assert.ok(
        workload.spec.template.spec.containers[0]?.env.some(
          ({ name, value }) => name === 'ISTHMUS_REVISION' && value === revisionOf(keeper),
        ),
      );
    }
  });

  test('make Jobs of another name whenever their work is another, and only then', async () => {
    const nameOf = async (more: object, node = 'n1') => {
      const objects = await template('helm4', chart, { values: { ...values, ...more } });
      return jobs(objects).find(({ metadata }) => metadata.annotations?.['isthmus/node'] === node)?.metadata.name;
    };

    const same = [await nameOf({}), await nameOf({ nodes: ['n1', 'n3'] }), await nameOf({ clusterName: 'c1' })];
    const others = await Promise.all([
      nameOf({ routes: routes.slice(1) }),
      nameOf({ mode: 'remove' }),
      nameOf({ protocol: 158 }),
      nameOf({ image: { registry: 'mirror.example.com', repository: 'proxyv2', tag: '1' } }),
      nameOf({ guard: { remotePodCIDRs: ['20.0.0.0/8'] } }),
      nameOf({}, 'n2'),
      nameOf({ job: { backoffLimit: 4 } }),
    ]);

    assert.is(new Set([same[0], ...others]).size, others.length + 1, others.join());
    assert.is(new Set(same).size, 1, same.join());
    assert.match(same[0] ?? '', /^release-[0-9a-f]{10}$/);
  });

  test('are the keeper alone above 200 nodes', async () => {
    const nodes = Array.from({ length: maxJobNodes + 1 }, (_, index) => `n${index}`);

    const objects = await templateBoth(chart, { values: { ...values, nodes } });

    assert.is(jobs(objects).length, 0);
    objectOf(objects, 'DaemonSet', 'release-keeper');
  });

  test('are the Jobs alone without a keeper', async () => {
    const objects = await templateBoth(chart, { values: { ...values, keeper: { enabled: false } } });

    assert.is(jobs(objects).length, 2);
    assert.not.ok(objects.some(({ kind }) => kind === 'DaemonSet'));
  });

  test('have host network and NET_ADMIN, and nothing more', async () => {
    const objects = await templateBoth(chart, { values });

    for (const { spec } of [...jobs(objects), objectOf(objects, 'DaemonSet', 'release-keeper') as Workload]) {
      const pod = JSON.parse(JSON.stringify(spec.template.spec));
      assert.is(pod.hostNetwork, true);
      assert.not.ok(pod.hostPID ?? pod.hostIPC ?? pod.volumes.some((volume: object) => 'hostPath' in volume));
      assert.is(pod.automountServiceAccountToken, false);
      assert.equal(pod.securityContext, { runAsUser: 0, runAsGroup: 0, seccompProfile: { type: 'RuntimeDefault' } });
      assert.equal(pod.containers[0].securityContext, {
        privileged: false,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
      });
    }
    assert.not.ok(objects.some(({ kind }) => /Role/.test(kind)));
  });

  test('keep IPPools disabled and out of BGP', async () => {
    const ipPools = [{ name: 'isthmus-c2', cidr: '20.1.0.0/16' }];

    const objects = await templateBoth(chart, { values: { ...values, ipPools, ipPoolApiVersion: 'projectcalico.org/v3' } });

    const pool = objectOf(objects, 'IPPool', 'isthmus-c2');
    const spec = { cidr: '20.1.0.0/16', disabled: true, natOutgoing: false, disableBGPExport: true, ipipMode: 'Never', vxlanMode: 'Never' };
    assert.is(pool.apiVersion, 'projectcalico.org/v3');
    assert.is(pool.metadata.labels?.['app.kubernetes.io/part-of'], 'isthmus');
    assert.equal(pool['spec'], spec);
  });
});

describe('values that route-installer refuses', ({ test }) => {
  const refusals: readonly (readonly [string, object, string])[] = [
    ['routes without pod CIDRs of other clusters', { guard: {} }, 'Set it to the pod CIDRs of the other clusters'],
    ['a route of two families', { routes: [{ dst: '20.1.0.0/26', via: 'fd00::1' }] }, 'Route 20.1.0.0/26 via fd00::1 mixes IPv4 and IPv6'],
    ['nothing that would install the routes', { nodes: [], keeper: { enabled: false } }, 'nothing would install the routes'],
    ['exemptions without local pods', { masquerade: { exemptCIDRs: ['20.1.0.0/16'] } }, 'Set guard.localPodCIDRs'],
    ['a destination that is no CIDR', { routes: [{ dst: '20.1.0.0', via: '10.0.7.2' }] }, 'routes'],
    ['an unknown value', { route: [] }, 'route'],
    ['a reserved protocol number', { protocol: 4 }, 'protocol'],
    ['a share that is no number', { keeper: { maxUnavailable: 'all' } }, 'maxUnavailable'],
  ];
  for (const [title, more, message] of refusals) {
    test(title, async () => {
      const refusal = await refusedByBoth(chart, { values: { ...values, ...more } });

      assert.ok(refusal.includes(message), refusal);
    });
  }

  test('protocol numbers that belong to someone, all that the planner knows', async () => {
    const numbers = ownedProtocols().filter((number) => number >= 5);

    const refusals = await Promise.all(
      numbers.map((protocol) => template('helm4', chart, { values: { ...values, protocol } }).catch((error: Error) => error.message)),
    );

    for (const refusal of refusals) assert.match(String(refusal), 'belongs to other routing software');
  });
});
