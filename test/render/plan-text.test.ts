// The plan as people read it.
import { planMesh } from '../../src/plan/mesh.ts';
import { describeFindings, describePlan } from '../../src/render/plan-text.ts';
import { mesh, node, pair, planFlat, planPair, seed } from '../helpers/builders.ts';
import { matchGolden } from '../helpers/golden.ts';
import { assert, describe } from '../helpers/suite.ts';

describe('the text of a plan', ({ test }) => {
  test('shows the clusters of 2018 with Istio 0.8', () => {
    matchGolden('plan-text/seed-0.8.0.txt', describePlan(planMesh(seed())));
  });

  test('shows the clusters of 2018 with a modern Istio', () => {
    matchGolden('plan-text/seed-1.30.3.txt', describePlan(planMesh(seed('1.30.3'))));
  });

  test('shows what waits for an address', () => {
    matchGolden('plan-text/pending.txt', describePlan(planPair()));
  });

  test('says which network each cluster is in and why, and what joins them', () => {
    const plan = planPair({ two: { podCIDRs: { value: ['10.1.0.0/17'], source: 'IPPool a' } } });

    matchGolden('plan-text/gateways.txt', describePlan(plan));
  });

  test('shows errors first, and what mends them', () => {
    const plan = planFlat({ two: { podCIDRs: { value: ['10.1.0.0/17'], source: 'mesh.yaml:12:5' } } });

    matchGolden('plan-text/errors.txt', describePlan(plan));
  });

  test('marks findings that are ignored and goes on', () => {
    const plan = planPair({
      two: { podCIDRs: { value: ['20.2.0.0/16'], source: 'IPPool a' }, nodes: [node('n1', '192.168.1.21', ['20.2.1.0/26'])] },
      mesh: { ignore: ['ISM031', 'ISM072'] },
      one: { istio: undefined as never },
    });

    const text = describePlan(plan);

    assert.match(text, /^ {2}ignored {2}ISM031 {2}cluster2 {2}Pod CIDR 20\.2\.0\.0\/16 is public address space\.$/m);
    assert.match(text, /\nNext: mend the error above \(`isthmus explain ISM076` tells more\), then isthmus plan again\n$/);
  });

  test('counts routes instead of listing more than 24', () => {
    const nodes = (count: number) =>
      Array.from({ length: count }, (_, n) => node(`n${n}`, `192.168.1.${100 + n}`, [`10.2.${n}.0/26`], { subnets: ['192.168.1.0/24'] }));

    const few = describePlan(planPair({ two: { nodes: nodes(24) } }));
    const many = describePlan(planPair({ two: { nodes: nodes(25) } }));

    assert.match(few, 'Routes on every node of cluster1\n  10.2.0.0/26 via 192.168.1.100   cluster2 node n0\n');
    assert.not.match(many, 'Routes on every node of cluster1');
    assert.match(many, '25 routes on each of 2 nodes');
  });

  test('shows what a terminal would obey as text', () => {
    const nodes = [node('\u001b[2Jn1', '192.168.1.21', ['10.2.1.0/26'], { subnets: ['192.168.1.0/24'], ready: false })];
    const problems = [{ code: 'ISM038', message: 'bad\u0007\nline', hint: 'one\ntwo\u001b[1m' }];

    const text = describePlan(planPair({ two: { nodes, problems } }));

    assert.ok([...text].every((character) => character === '\n' || (character >= ' ' && character <= '~')));
    assert.match(text, 'cluster2 node \\u{1b}[2Jn1');
    assert.match(text, 'bad\\u{7}\\u{a}line\n           one\n           two\\u{1b}[1m\n');
  });

  test('says that a primary alone has nothing to install', () => {
    const text = describePlan(planMesh({ mesh: mesh([{ name: 'cluster1' }]), inputs: pair().slice(0, 1) }));

    assert.is(
      text,
      `Mesh bookinfo: 1 cluster, 1 network, Istio 1.30.3

  cluster1  primary  Kubernetes 1.34.4  Calico, no encapsulation  2 nodes  pods 10.1.0.0/16 (IPPool default-ipv4-ippool)

Next: nothing to install; add a remote to mesh.yaml
`,
    );
  });

  test('is empty where there are no findings', () => {
    assert.is(describeFindings({ findings: [] }), '');
  });
});
