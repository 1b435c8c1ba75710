// Planned routes of random clusters: they reach every remote pod address by the right node, and no other address.
import fc from 'fast-check';
import { type Cidr, contains, formatCidr, parseAddress, parseCidr, sizeOf } from '../../src/base/cidr.ts';
import { toYaml } from '../../src/base/yaml.ts';
import type { NodeFacts } from '../../src/facts/schema.ts';
import { planMesh } from '../../src/plan/mesh.ts';
import type { ClusterInput, Route } from '../../src/plan/types.ts';
import { facts, findingsOf, istio, mesh, node, planPair, pool, routeTexts } from '../helpers/builders.ts';
import { assert, describe } from '../helpers/suite.ts';

const names = ['east', 'west', 'north'] as const;

/** What a random mesh is made of: per cluster the owner of each of 64 blocks, and borrowed addresses. */
interface RandomCluster {
  readonly nodeCount: number;
  /** Owner of each /26 of the cluster's /20, by index of the node; beyond the nodes means that no one has the block. */
  readonly owners: readonly number[];
  readonly borrowed: readonly { readonly block: number; readonly address: number; readonly node: number }[];
  readonly network: string;
}

const randomCluster: fc.Arbitrary<RandomCluster> = fc.record({
  nodeCount: fc.integer({ min: 1, max: 6 }),
  owners: fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 64, maxLength: 64 }),
  borrowed: fc.uniqueArray(
    fc.record({ block: fc.integer({ min: 0, max: 63 }), address: fc.integer({ min: 0, max: 63 }), node: fc.integer({ min: 0, max: 5 }) }),
    { maxLength: 6, selector: ({ block, address }) => block * 64 + address },
  ),
  network: fc.constantFrom('network1', 'network1', 'network2'),
});

const randomMesh = fc.array(randomCluster, { minLength: 2, maxLength: 3 });

/** Base address of the pods of a cluster, 10.<16 * index>.0.0/20. */
function podBase(index: number): number {
  return (10 << 24) + ((16 * index) << 16);
}

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}

function nodesOf(cluster: RandomCluster, index: number): NodeFacts[] {
  return Array.from({ length: cluster.nodeCount }, (_, at) => {
    const own = cluster.owners.flatMap((owner, block) =>
      owner === at ? [{ cidr: `${dotted(podBase(index) + block * 64)}/26`, source: 'block' }] : [],
    );
    const borrowed = cluster.borrowed
      .filter((one) => one.node === at && cluster.owners[one.block] !== at)
      .map((one) => ({ cidr: `${dotted(podBase(index) + one.block * 64 + one.address)}/32`, source: 'borrowed', borrowed: true }));
    return node(`n${at}`, `192.168.${index}.${at + 1}`, [], { blocks: [...own, ...borrowed], subnets: ['192.168.0.0/16'] });
  });
}

function inputsOf(clusters: readonly RandomCluster[]): ClusterInput[] {
  return clusters.map((cluster, index) => {
    const name = names[index] ?? '';
    const podCIDRs = { value: [`${dotted(podBase(index))}/20`], source: 'IPPool a' };
    return { name, found: facts(name, { podCIDRs, nodes: nodesOf(cluster, index), ...(index === 0 ? { istio: istio(name) } : {}) }) };
  });
}

function meshOf(clusters: readonly RandomCluster[]) {
  return mesh(clusters.map((cluster, index) => ({ name: names[index] ?? '', network: cluster.network })));
}

/** Where the pod with this address really is: who borrowed it, else who owns its block. */
function homeOf(clusters: readonly RandomCluster[], index: number, offset: number): string | undefined {
  const cluster = clusters[index];
  const block = Math.floor(offset / 64);
  const borrower = cluster?.borrowed.find(
    (one) => one.block === block && one.address === offset % 64 && one.node < cluster.nodeCount,
  )?.node;
  const home = borrower ?? cluster?.owners[block];
  return cluster === undefined || home === undefined || home >= cluster.nodeCount ? undefined : `192.168.${index}.${home + 1}`;
}

function parsed(text: string): Cidr {
  const result = text.includes('/') ? parseCidr(text) : parseAddress(text);
  if (typeof result === 'string') throw new Error(`${text} ${result}`);
  return result;
}

/** What the kernel does: the longest prefix that holds the address. */
function nextHop(routes: readonly (Route & { readonly cidr: Cidr })[], address: Cidr): string | undefined {
  return routes.filter((route) => contains(route.cidr, address)).sort((a, b) => b.cidr.prefix - a.cidr.prefix)[0]?.via;
}

/** Addresses of other clusters that packets from cluster `here` would take to the wrong place. */
function wrongHops(
  clusters: readonly RandomCluster[],
  here: number,
  { routes, offsets }: { readonly routes: readonly Route[]; readonly offsets: readonly number[] },
): string[] {
  const table = routes.map((route) => ({ ...route, cidr: parsed(route.dst) }));
  return clusters.flatMap((other, there) => {
    const joined = here !== there && clusters[here]?.network === other.network;
    const borrowed = other.borrowed.map((one) => one.block * 64 + one.address);
    return [...offsets, ...borrowed].flatMap((offset) => {
      const address = dotted(podBase(there) + offset);
      const via = nextHop(table, parsed(address));
      const home = joined ? homeOf(clusters, there, offset) : undefined;
      return via === home ? [] : [`${address} from ${here}: ${via} instead of ${home}`];
    });
  });
}

const interesting = fc.integer({ min: 0, max: 4095 });

describe('planned routes of random clusters', ({ test }) => {
  test('lead to the node that each pod address lives on, and nowhere else', () => {
    fc.assert(
      fc.property(randomMesh, fc.array(interesting, { minLength: 20, maxLength: 20 }), (clusters, offsets) => {
        const plan = planMesh({ mesh: meshOf(clusters), inputs: inputsOf(clusters) });

        assert.equal(
          clusters.flatMap((_, here) => wrongHops(clusters, here, { routes: plan.clusters[here]?.routes ?? [], offsets })),
          [],
        );
      }),
      { seed: 20180601, numRuns: 150 },
    );
  });

  test('cover exactly as many addresses as the remote blocks have', () => {
    fc.assert(
      fc.property(randomCluster, randomCluster, (one, two) => {
        const clusters = [one, two].map((cluster) => ({ ...cluster, network: 'network1', borrowed: [] }));

        const plan = planMesh({ mesh: meshOf(clusters), inputs: inputsOf(clusters) });

        const covered = (plan.clusters[0]?.routes ?? []).reduce((sum, { dst }) => sum + sizeOf(parsed(dst)), 0n);
        assert.is(covered, BigInt(two.owners.filter((owner) => owner < two.nodeCount).length * 64));
      }),
      { seed: 20180602, numRuns: 100 },
    );
  });

  test('do not depend on the order of inputs and lists, to the byte', () => {
    fc.assert(
      fc.property(randomMesh, fc.infiniteStream(fc.nat()), (clusters, numbers) => {
        const shuffle = <T>(items: readonly T[]): T[] =>
          items
            .map((item) => ({ item, at: numbers.next().value as number }))
            .sort((a, b) => a.at - b.at)
            .map(({ item }) => item);
        const inputs = inputsOf(clusters);
        const shuffled = shuffle(inputs).map(({ name, found }) => ({
          name,
          ...(found === undefined
            ? {}
            : { found: { ...found, nodes: shuffle(found.nodes).map((one) => ({ ...one, blocks: shuffle(one.blocks) })) } }),
        }));

        const plan = toYaml(planMesh({ mesh: meshOf(clusters), inputs }));

        assert.is(toYaml(planMesh({ mesh: meshOf(clusters), inputs: shuffled })), plan);
      }),
      { seed: 20180603, numRuns: 60 },
    );
  });

  test('do not depend on the order of any list of the facts', () => {
    const lists = <T>(items: readonly T[], reverse: boolean): T[] => (reverse ? [...items].reverse() : [...items]);
    const planIn = (reverse: boolean) => {
      const foreignRoutes = lists(
        [{ dst: '10.2.1.0/26', via: '1.1.1.1' }, { dst: '10.2.2.0/26', via: '2.2.2.2' }, { dst: '10.2.200.0/26' }],
        reverse,
      );
      const nodes = [1, 2].map((n) =>
        node(`n${n}`, `192.168.1.1${n}`, [`10.1.${n}.0/26`], { subnets: lists(['192.168.1.0/24', 'fd01::/64'], reverse), foreignRoutes }),
      );
      const services = ['a', 'b', 'istiod-ilb'].map((name) => ({
        namespace: 'istio-system',
        name,
        addresses: lists(['10.5.5.5', '10.5.5.6'], reverse),
        hostnames: lists(['x', 'y'], reverse),
        requested: lists(['10.5.5.5', '10.5.5.6'], reverse),
      }));
      const base = istio('cluster1');
      const revisions = [...base.revisions, ...istio('cluster1', { name: 'blue' }).revisions];
      return planPair({
        one: {
          podCIDRs: { value: lists(['10.1.0.0/16', '10.8.0.0/16', '10.8.1.0/24'], reverse), source: '' },
          serviceCIDRs: { value: lists(['10.97.0.0/17', '10.97.128.0/17', '10.1.0.0/24'], reverse), source: '' },
          pools: lists([pool('a', '10.1.0.0/16'), pool('b', '10.8.0.0/16')], reverse),
          nodes: lists(nodes, reverse),
          services: lists(services, reverse),
          problems: lists(
            [
              { code: 'ISM038', message: 'b' },
              { code: 'ISM036', message: 'a' },
              { code: 'ISM036', message: 'c' },
            ],
            reverse,
          ),
          istio: { ...base, revisions: lists(revisions, reverse) },
        },
        primary: { loadBalancer: { addresses: { 'istiod-ilb': '10.5.5.5' } } },
      });
    };

    assert.is(toYaml(planIn(true)), toYaml(planIn(false)));
    assert.ok(planIn(false).findings.length > 8);
  });

  test('are aggregated: halves of one node never stand side by side', () => {
    const owners = Array.from({ length: 64 }, (_, block) => (block < 32 ? 0 : 1));
    const clusters = [
      { nodeCount: 1, owners: [], borrowed: [], network: 'network1' },
      { nodeCount: 2, owners, borrowed: [], network: 'network1' },
    ];

    const plan = planMesh({ mesh: meshOf(clusters), inputs: inputsOf(clusters) });

    assert.equal(routeTexts(plan, 'east'), ['10.16.0.0/21 via 192.168.1.1', '10.16.8.0/21 via 192.168.1.2']);
  });
});

const anyText = fc.oneof(
  fc.string(),
  fc.constantFrom('10.0.0.0/8', '0.0.0.0/0', '::/0', '010.0.0.0/8', '10.1', '1.2.3.4', 'fe80::1%eth0', '/26abc', '__proto__', ''),
);

describe('planning of arbitrary facts', ({ test }) => {
  test('never throws, whatever the texts in the facts are', () => {
    fc.assert(
      fc.property(fc.array(anyText, { minLength: 12, maxLength: 12 }), fc.boolean(), (texts, virtual) => {
        const [a = '', b = '', c = '', d = '', e = '', f = '', g = '', h = '', i = '', j = '', k = '', l = ''] = texts;
        const wild = {
          podCIDRs: { value: [a, b], source: c },
          serviceCIDRs: { value: [d], source: e },
          server: { value: f, source: '' },
          kubernetes: { value: g, source: '' },
          loadBalancer: { value: h, source: '' },
          natExemptCIDRs: { value: [i], source: '' },
          pools: [{ name: j, cidr: k, disabled: false, natOutgoing: true, encapsulation: 'none' as const }],
          nodes: [node(l, a, [b, c], { virtual, subnets: [d], foreignRoutes: [{ dst: e, via: f }], os: g === '' ? 'linux' : g })],
          services: [{ namespace: 'istio-system', name: 'istiod-ilb', addresses: [h, i], hostnames: [j], requested: [k] }],
          problems: [{ code: l, message: a }],
        };
        const inputs = names
          .slice(0, 2)
          .map((name) => ({ name, found: facts(name, { ...wild, istio: istio(name, { name: a, version: b, selector: { [c]: d } }) }) }));

        const plan = planMesh({ mesh: mesh([{ name: 'east' }, { name: 'west' }]), inputs });

        assert.ok(plan.clusters.length === 2 && plan.findings.length > 0);
        assert.ok(findingsOf(plan, 'ISM008').every((finding) => finding.message.length > 0));
      }),
      { seed: 20180604, numRuns: 300 },
    );
  });

  test('round-trips every address that it prints', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = parseAddress(text);

        if (typeof address !== 'string') assert.equal(parseCidr(formatCidr(address)), address);
      }),
      { seed: 20180605, numRuns: 500 },
    );
  });
});
