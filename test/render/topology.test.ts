import type { ClusterPlan, MeshPlan } from '../../src/plan/types.ts';
import { topologySvg } from '../../src/render/topology.ts';
import { classicPlan, modernPlan, plainCluster } from '../helpers/plans.ts';
import { assert, describe } from '../helpers/suite.ts';

interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly text: string;
}

/** Reads SVG as strictly as XML is: every element closed, every attribute quoted, nothing unescaped. */
function elementsOf(svg: string): readonly Element[] {
  const open: string[] = [];
  const elements: Element[] = [];
  let rest = svg.trim();
  while (rest !== '') {
    const [, closing, name = '', attributes = '', empty, text = ''] =
      /^<(\/?)([a-z]+)((?: [A-Za-z0-9:-]+="[^"<]*")*)(\/?)>([^<]*)/.exec(rest) ?? fail(`not well-formed at: ${rest.slice(0, 60)}`);
    if (/&(?!(?:amp|lt|gt|quot);)/.test(attributes + text)) fail(`unescaped & in ${name}`);
    if (closing === '/') assert.is(open.pop(), name);
    else if (empty === '') open.push(name);
    if (closing === '')
      elements.push({
        name,
        attributes: new Map([...attributes.matchAll(/ ([A-Za-z0-9:-]+)="([^"]*)"/g)].map((match) => [match[1] ?? '', match[2] ?? ''])),
        text,
      });
    rest = rest.slice((/^<[^>]*>[^<]*/.exec(rest) ?? [''])[0].length);
  }
  assert.equal(open, []);
  return elements;
}

function fail(message: string): never {
  throw new Error(message);
}

function textsOf(plan: MeshPlan): readonly string[] {
  return elementsOf(topologySvg(plan))
    .map(({ text }) => text.trim())
    .filter((text) => text !== '');
}

function withClusters(plan: MeshPlan, clusters: readonly ClusterPlan[]): MeshPlan {
  return { ...plan, clusters: [...plan.clusters, ...clusters] };
}

function number(element: Element, attribute: string): number {
  return Number(element.attributes.get(attribute) ?? 0);
}

describe('the picture of a mesh', ({ test }) => {
  test('names clusters, nodes, blocks, routes and load balancers of 2018', () => {
    const texts = textsOf(classicPlan());

    for (const expected of [
      'Mesh bookinfo',
      'network: network1',
      'cluster1',
      'cluster2',
      'primary',
      'remote',
      '9.111.255.29',
      '10.1.43.0/26',
      '20.1.47.128/26',
      'on every node of cluster2',
      'istio-statsd-prom-bridge-ilb',
      '9125/UDP',
      '15003 15005 15007 15010 15011 8080 9093',
      '9.111.255.10',
    ])
      assert.ok(texts.includes(expected), `${expected} is not in the picture`);
  });

  test('shows each route once, as the block and the node it leads to', () => {
    const texts = textsOf(modernPlan());
    const routes = texts.flatMap((text, index) => (text === 'via' ? [`${texts[index - 1]} via ${texts[index + 1]}`] : []));

    assert.equal(routes, [
      '20.1.31.128/26 via 9.111.255.152',
      '20.1.35.192/26 via 9.111.255.155',
      '20.1.47.128/26 via 9.111.255.77',
      '10.1.158.192/26 via 9.111.255.129',
      '10.1.198.128/26 via 9.111.255.21',
      '10.1.43.0/26 via 9.111.255.29',
    ]);
  });

  test('says that an address is waited for', () => {
    assert.ok(textsOf(modernPlan([])).includes('address waited for'));
  });

  test('is the same whatever the order of clusters', () => {
    const plan = withClusters(modernPlan(), [plainCluster('cluster3', 3, 3)]);

    assert.is(topologySvg({ ...plan, clusters: plan.clusters.toReversed() }), topologySvg(plan));
  });

  test('counts what it does not show of many nodes, and stays small', () => {
    const plan = withClusters(modernPlan(), [plainCluster('cluster3', 3, 5000)]);

    const svg = topologySvg(plan);

    assert.ok(textsOf(plan).includes('and 4994 more nodes'));
    assert.ok(svg.length < 40_000, `${svg.length} characters`);
  });

  test('counts routes of clusters that do not stand side by side', () => {
    const third = plainCluster('cluster3', 3, 2);
    const routes = [{ dst: '10.1.43.0/26', via: '9.111.255.29', cluster: 'cluster1', node: '9.111.255.29' }];

    assert.ok(textsOf(withClusters(modernPlan(), [{ ...third, routes }])).includes('1 route on every node'));
  });

  test('says why clusters without routes have none', () => {
    const plan = modernPlan();
    const apart = { ...plan, links: [{ clusters: ['cluster1', 'cluster2'] as const, by: 'gateways' as const, reason: '' }] };

    const texts = textsOf({
      ...apart,
      clusters: apart.clusters.map((cluster) => ({ ...cluster, routes: [], network: `net-${cluster.name}` })),
    });

    assert.ok(texts.includes('different networks: through their gateways'));
    assert.ok(texts.some((text) => text.endsWith('net-cluster2')));
    assert.not.ok(texts.some((text) => text.startsWith('network: ')));
  });

  test('escapes every text and refuses no character', () => {
    const hostile = '<script>&"\'\u{0}\u{1b}]]>{{x}}';
    const plan = modernPlan();
    const clusters = plan.clusters.map((cluster) => ({
      ...cluster,
      summary: { ...cluster.summary, cni: hostile },
      nodes: cluster.nodes.map((node) => ({ ...node, name: hostile })),
    }));

    const elements = elementsOf(topologySvg({ ...plan, mesh: hostile, clusters }));

    assert.not.ok(elements.some(({ name }) => name === 'script'));
    assert.ok(elements.some(({ text }) => text.includes('&lt;script&gt;&amp;&quot;')));
  });

  test('keeps everything inside its borders', () => {
    for (const plan of [
      classicPlan(),
      modernPlan([]),
      withClusters(modernPlan(), [plainCluster('a-cluster-with-a-rather-long-name-of-40-ch', 3, 9)]),
    ]) {
      const [svg, ...elements] = elementsOf(topologySvg(plan));
      const [, , width = 0, height = 0] = (svg?.attributes.get('viewBox') ?? '').split(' ').map(Number);
      for (const rect of elements.filter(({ name }) => name === 'rect')) {
        assert.ok(number(rect, 'x') >= 0 && number(rect, 'x') + number(rect, 'width') <= width + 0.5, 'wider than the picture');
        assert.ok(number(rect, 'y') >= 0 && number(rect, 'y') + number(rect, 'height') <= height + 0.5, 'higher than the picture');
      }
    }
  });

  test('is for light and dark screens and reaches for nothing outside', () => {
    const svg = topologySvg(modernPlan());

    assert.match(svg, '@media (prefers-color-scheme:dark)');
    assert.not.match(svg.replace('http://www.w3.org/2000/svg', ''), /https?:|url\(|@import|href/);
  });

  test('is drawn for a mesh of one cluster and of none', () => {
    const [only] = modernPlan().clusters;

    assert.ok(elementsOf(topologySvg({ ...modernPlan(), clusters: only === undefined ? [] : [only] })).length > 10);
    assert.ok(elementsOf(topologySvg({ ...modernPlan(), clusters: [] })).length > 3);
    assert.ok(!/NaN|Infinity|undefined/.test(topologySvg({ ...modernPlan(), clusters: [] })));
  });
});
