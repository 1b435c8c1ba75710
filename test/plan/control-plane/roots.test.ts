// Roots of trust in the plan: those in use and those that the user gives must be one, whatever the role of a cluster.
import { planMesh } from '../../../src/plan/mesh.ts';
import type { ClusterInput } from '../../../src/plan/types.ts';
import { describePlan } from '../../../src/render/plan-text.ts';
import { releaseIndex } from '../../../src/render/releases.ts';
import { facts, istio, mesh } from '../../helpers/builders.ts';
import { assert, describe } from '../../helpers/suite.ts';

const [a, b] = ['AA', 'BB'].map((byte) => Array(32).fill(byte).join(':')) as [string, string];
const used = (value: string) => ({ rootCertFingerprint: { value, source: 'ConfigMap istio-system/istio-ca-root-cert' } });
const given = (cluster: string, value: string) => ({ root: { value, source: `ca/${cluster}/root-cert.pem` } });

function planOf(one: Partial<ClusterInput>, two: Partial<ClusterInput>, role: 'primary' | 'remote' = 'primary') {
  const wanted = mesh([{ name: 'cluster1' }, { name: 'cluster2', role }], { istio: { version: '1.30.3', ca: '../ca' } });
  return {
    mesh: wanted,
    plan: planMesh({
      mesh: wanted,
      inputs: [
        { name: 'cluster1', ...one },
        { name: 'cluster2', ...two },
      ],
    }),
  };
}

const running = (cluster: string, root: string): Partial<ClusterInput> => ({
  found: facts(cluster, { istio: { ...istio(cluster), ...used(root) } }),
});
const empty = (cluster: string, root?: string): Partial<ClusterInput> => ({
  found: facts(
    cluster,
    root === undefined ? {} : { istio: { namespace: 'istio-system', revisions: [], injectionWebhooks: [], ...used(root) } },
  ),
});
const differing = ({ plan }: ReturnType<typeof planOf>) => plan.findings.find(({ code }) => code === 'ISM074')?.message;
const short = (root: string) => `${root.slice(0, 23)}...`;

describe('roots of trust', ({ test }) => {
  test('of two primaries that run must be one', () => {
    assert.is(
      differing(planOf(running('cluster1', a), running('cluster2', b))),
      `The root certificates differ: ${short(a)} in cluster1 and ${short(b)} in cluster2.`,
    );
    assert.is(differing(planOf(running('cluster1', a), running('cluster2', a))), undefined);
  });

  test('that the user gives must be those in use', () => {
    const plan = planOf({ ...running('cluster1', a), ...given('cluster1', b) }, { ...empty('cluster2'), ...given('cluster2', b) });

    assert.is(
      differing(plan),
      `The root certificates differ: ${short(a)} in cluster1 and ${short(b)} in ca/cluster1/root-cert.pem and ca/cluster2/root-cert.pem.`,
    );
    assert.is(plan.plan.findings.find(({ code }) => code === 'ISM074')?.severity, 'error');
  });

  test('that an Istio that is gone left in a primary count for nothing; in a remote they do', () => {
    const left = { ...empty('cluster2', b), ...given('cluster2', a) };

    assert.is(differing(planOf({ ...running('cluster1', a), ...given('cluster1', a) }, left)), undefined);
    assert.match(differing(planOf(running('cluster1', a), empty('cluster2', b), 'remote')) ?? '', `${short(b)} in cluster2`);
  });

  test('that are given are shown in the plan and named in the index by their folder from out/, with nothing of a key', () => {
    const { mesh: wanted, plan } = planOf(
      { ...empty('cluster1'), ...given('cluster1', a) },
      { ...empty('cluster2'), ...given('cluster2', a) },
    );

    const index = releaseIndex({ plan, mesh: wanted, folders: new Map(), version: '0.1.0' });

    assert.equal(
      index.clusters.map(({ signer, namespaces }) => [signer, namespaces[0]?.name]),
      ['cluster1', 'cluster2'].map((name) => [{ folder: `../ca/${name}`, root: a }, 'istio-system']),
    );
    assert.match(describePlan(plan), `cacerts`);
    assert.match(describePlan(plan), `intermediate of root ${short(a)}`);
  });
});
