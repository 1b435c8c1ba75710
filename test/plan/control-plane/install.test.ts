// Istio that isthmus installs itself: its releases, what is planned on top of them, and what they never take the place of.
import { planMesh } from '../../../src/plan/mesh.ts';
import type { MeshPlan, PlannedRelease } from '../../../src/plan/types.ts';
import { codesOf, findingsOf, istio, mesh, pair } from '../../helpers/builders.ts';
import { assert, describe } from '../../helpers/suite.ts';

type Revision = ReturnType<typeof istio>['revisions'][number];

interface Wanted {
  readonly istio?: Record<string, unknown>;
  readonly primary?: Record<string, unknown>;
  readonly revision?: Partial<Revision>;
}

/** A primary, with an istiod when `revision` says one, and a remote. */
function planned(wanted: Wanted): MeshPlan {
  const base = mesh([
    { name: 'cluster1', ...wanted.primary },
    { name: 'cluster2', role: 'remote' },
  ]);
  const found = wanted.revision === undefined ? undefined : istio('cluster1', wanted.revision);
  return planMesh({ mesh: { ...base, istio: { ...base.istio, install: true, ...wanted.istio } }, inputs: pair({ one: { istio: found } }) });
}

function releaseOf(plan: MeshPlan, name: string): Extract<PlannedRelease, { readonly adopt: boolean }> | undefined {
  const release = plan.clusters[0]?.releases.find((each) => each.name === name);
  return release !== undefined && 'adopt' in release ? release : undefined;
}

describe('an Istio that is installed', ({ test }) => {
  test('comes before everything else of the primary, with the names that the mesh needs', () => {
    const plan = planned({ istio: { hub: 'mirror.corp/istio' } });

    assert.equal(
      plan.clusters.map(({ releases }) => releases.map(({ name }) => name)),
      [
        ['istio-base', 'istiod', 'istio-ilb', 'route-installer'],
        ['route-installer', 'istio-remote'],
      ],
    );
    assert.equal(releaseOf(plan, 'istiod')?.values, {
      revision: '',
      global: {
        hub: 'mirror.corp/istio',
        tag: '1.30.3',
        istioNamespace: 'istio-system',
        meshID: 'bookinfo',
        network: 'network1',
        multiCluster: { clusterName: 'cluster1' },
        externalIstiod: true,
      },
      meshConfig: { trustDomain: 'cluster.local' },
    });
  });

  test('needs no istiod in the clusters as they are', () => {
    const codes = codesOf(planned({}));

    assert.equal(
      codes.filter((code) => ['ISM066', 'ISM072', 'ISM073', 'ISM076', 'ISM079'].includes(code)),
      [],
    );
  });

  test('has the values of mesh.yaml below those that isthmus sets', () => {
    const values = { replicaCount: 2, global: { meshID: 'other', proxy: { logLevel: 'info' } } };

    const written = releaseOf(planned({ istio: { values } }), 'istiod')?.values as {
      replicaCount: number;
      global: Record<string, unknown>;
    };

    assert.is(written.replicaCount, 2);
    assert.equal(written.global['proxy'], { logLevel: 'info' });
    assert.is(written.global['meshID'], 'bookinfo');
  });

  test('of a revision has its name, and its pods are what the ILB selects', () => {
    const plan = planned({ istio: { revision: 'blue' } });

    const ilb = plan.clusters[0]?.releases.find(({ chart }) => chart === 'istio-ilb');
    assert.is(releaseOf(plan, 'istiod-blue')?.values['revision'], 'blue');
    assert.is(releaseOf(plan, 'istio-base')?.values['defaultRevision'], 'blue');
    assert.equal(ilb?.chart === 'istio-ilb' ? ilb.services[0]?.selector : undefined, { app: 'istiod', 'istio.io/rev': 'blue' });
  });

  test('is only where it is asked for', () => {
    const without = planned({ primary: { install: false }, revision: {} });
    const only = planned({ istio: { install: false }, primary: { install: true } });

    assert.is(releaseOf(without, 'istiod'), undefined);
    assert.ok(releaseOf(only, 'istiod'));
  });

  test('never takes the place of another, unless it is told to adopt it', () => {
    const refused = planned({ revision: { managedBy: 'istioctl', version: '1.30.1' } });
    const adopted = planned({ revision: { managedBy: 'istioctl' }, istio: { adopt: true } });

    assert.is(findingsOf(refused, 'ISM079')[0]?.message, 'istiod 1.30.1 runs here already (istioctl), and mesh.yaml asks to install one.');
    assert.equal(findingsOf(adopted, 'ISM079'), []);
    assert.ok(releaseOf(adopted, 'istiod')?.adopt);
  });

  test('is known again by the name of its chart, which is of this cluster', () => {
    const own = planned({ revision: { chart: 'istiod-cluster1-0.1.0_0a1b2c3d4e5f', managedBy: 'Helm release istiod' } });
    const others = planned({ revision: { chart: 'istiod-1.30.3', managedBy: 'Helm release istiod' } });

    assert.equal([findingsOf(own, 'ISM079').length, findingsOf(others, 'ISM079').length], [0, 1]);
  });

  test('stands beside another revision', () => {
    const plan = planned({ istio: { revision: 'blue' }, revision: { name: '' } });

    assert.equal(findingsOf(plan, 'ISM079'), []);
  });

  test('cannot be Istio 0.8', () => {
    const plan = planned({ istio: { version: '0.8.0' } });

    assert.is(findingsOf(plan, 'ISM070').at(-1)?.message, 'Istio 0.8.0 is not installed by isthmus.');
    assert.is(releaseOf(plan, 'istiod'), undefined);
  });
});
