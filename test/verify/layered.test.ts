// The layers together: what stops where, which pairs it concerns, and what is left to see.
import { IsthmusError } from '../../src/base/errors.ts';
import { verifyPairs } from '../../src/verify/layered.ts';
import type { Check, Layer } from '../../src/verify/types.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { bothWays, createWorld, sceneOf } from './world.ts';

/** A layer that gives these checks and notes which pairs it was asked for. */
function layerOf(name: string, checks: readonly Check[] = [], asked: string[] = []): Layer {
  return {
    name,
    run: async (_, pairs) => {
      asked.push(...pairs.map(({ from, to }) => `${from}>${to}`));
      return { checks };
    },
  };
}

const at = (cluster: string, outcome: Check['outcome'], to?: string): Check => ({
  name: 'x',
  from: { cluster },
  outcome,
  ...(to === undefined ? {} : { to: { cluster: to } }),
});

describe('verification', ({ test }) => {
  test('finds a mesh in order to be so, and leaves no pod', async () => {
    const world = createWorld();

    const { pairs, checks, left } = await verifyPairs(sceneOf(world), bothWays);

    assert.equal(
      pairs.map(({ from, to, outcome, layers }) => [
        from,
        to,
        outcome,
        ...layers.map(({ name, passed, failed }) => `${name} ${passed}/${failed}`),
      ]),
      [
        ['one', 'two', 'passed', 'cluster 2/0', 'routes 4/0', 'pods 16/0'],
        ['two', 'one', 'passed', 'cluster 2/0', 'routes 4/0', 'pods 16/0'],
      ],
    );
    assert.is(checks.length, 2 + 4 + 32);
    assert.equal(left, []);
    assert.equal([...world.pods(world.one), ...world.pods(world.two)], []);
    assert.is(world.made.length, 8);
  });

  test('stops each pair at its first broken layer', async () => {
    const asked: string[] = [];
    const layers = [
      layerOf('low', [at('one', 'failed', 'two'), at('two', 'passed', 'one')]),
      layerOf('high', [at('two', 'failed', 'one')], asked),
    ];

    const { pairs } = await verifyPairs(sceneOf(createWorld()), bothWays, layers);

    assert.equal(asked, ['two>one']);
    assert.equal(
      pairs.map(({ broken, layers: results }) => [broken, ...results.map(({ outcome }) => outcome)]),
      [
        ['low', 'failed', 'not run'],
        ['high', 'passed', 'failed'],
      ],
    );
  });

  test('counts what is wrong with a cluster for both directions', async () => {
    const { pairs } = await verifyPairs(sceneOf(createWorld()), bothWays, [layerOf('low', [at('two', 'failed')])]);

    assert.equal(
      pairs.map(({ broken }) => broken),
      ['low', 'low'],
    );
  });

  test('does not take what was skipped for broken', async () => {
    const { pairs } = await verifyPairs(sceneOf(createWorld()), bothWays, [layerOf('low', [at('one', 'skipped')])]);

    assert.equal(
      pairs.map(({ outcome, layers }) => [outcome, layers[0]?.outcome]),
      [
        ['passed', 'skipped'],
        ['passed', 'skipped'],
      ],
    );
  });

  test('names a cluster that cannot be reached, and goes on with the others', async () => {
    const scene = { ...sceneOf(createWorld()), unreachable: new Map([['three', { message: 'no connection', hint: 'Start it.' }]]) };

    const { pairs, checks } = await verifyPairs(scene, [...bothWays, { from: 'one', to: 'three' }]);

    assert.equal(
      pairs.map(({ outcome, broken }) => [outcome, broken]),
      [
        ['passed', undefined],
        ['passed', undefined],
        ['failed', 'cluster'],
      ],
    );
    assert.equal(
      checks.filter(({ outcome }) => outcome === 'failed').map(({ message, hint }) => [message, hint]),
      [['no connection', 'Start it.']],
    );
  });

  test('ends with an error after Ctrl-C, when all pods are gone', async () => {
    const world = createWorld();
    const stop = new AbortController();
    world.kubelet = () => void stop.abort();

    const error = await thrownBy(() => verifyPairs(sceneOf(world, { signal: stop.signal }), bothWays));

    assert.instance(error, IsthmusError);
    assert.is((error as IsthmusError).message, 'stopped');
    assert.ok(world.made.length > 0);
    assert.equal([...world.pods(world.one), ...world.pods(world.two)], []);
  });
});
