// The layer of the control plane: an address that a load balancer has taken back is noticed, and what cannot be known is not guessed.
import { ReleaseIndex } from '../../src/render/types.ts';
import { Cluster } from '../../src/spec/schema.ts';
import { controlPlaneLayer } from '../../src/verify/control-plane.ts';
import { pairsOf } from '../../src/verify/pairs.ts';
import type { Pair } from '../../src/verify/types.ts';
import { releaseIndex } from '../helpers/installation.ts';
import { assert, describe } from '../helpers/suite.ts';
import { createWorld, istiodService, istiodSlice, sceneOf, type World } from './world.ts';

const served: Pair = { from: 'two', to: 'one', controlPlane: true };

async function remark(world: World, pair = served): Promise<string> {
  const { checks } = await controlPlaneLayer.run(sceneOf(world), [pair]);
  return checks.map(({ from, to, outcome, message }) => `${from.cluster} ${to?.cluster} ${outcome}: ${message}`).join('\n');
}

describe('the layer of the control plane', ({ test }) => {
  test('passes while the remote asks at an address of the ILB', async () => {
    assert.is(await remark(createWorld()), 'two one passed: 10.0.0.5');
  });

  test('fails when the load balancer has given another address', async () => {
    const world = createWorld();
    world.one.add(istiodService('istiod-ilb', '10.0.0.6', '10.0.0.7'));

    assert.is(await remark(world), 'two one failed: asks for istiod at 10.0.0.5, but istiod-ilb of one has 10.0.0.6, 10.0.0.7 now');
  });

  test('looks at the gateway where the networks differ', async () => {
    const world = createWorld();
    world.one.add(istiodService('istio-eastwestgateway', '10.0.0.8'));

    const said = await remark(world, { ...served, through: 'gateways' });

    assert.is(said, 'two one failed: asks for istiod at 10.0.0.5, but istio-eastwestgateway of one has 10.0.0.8 now');
  });

  test('says why it cannot compare', async () => {
    const world = createWorld();
    world.one.remove(istiodService('istiod-ilb'));
    const named = createWorld();
    named.two.remove(istiodSlice());
    named.one.intercept = () => undefined;

    assert.is(await remark(world), 'two one skipped: istiod-ilb of one has no address to compare with');
    assert.is(await remark(named), 'two one skipped: the remote finds istiod by its name');
  });

  test('is about each remote and its primary, but not where mesh.yaml gives the address, nor for Istio 0.8', () => {
    const index = ReleaseIndex.parse(releaseIndex());
    const given = { clusters: [Cluster.parse({ name: 'cluster2', role: 'remote', remotePilotAddress: '10.9.9.9' })] };
    const about = (changed: Partial<ReleaseIndex>, mesh: Parameters<typeof pairsOf>[1] = { clusters: [] }) =>
      pairsOf({ ...index, ...changed }, mesh)
        .filter(({ controlPlane }) => controlPlane)
        .map(({ from, to }) => `${from} ${to}`);

    assert.equal(about({}), ['cluster2 cluster1']);
    assert.equal(about({}, given), []);
    assert.equal(about({ istio: { ...index.istio, version: '0.8.0' } }), []);
  });
});
