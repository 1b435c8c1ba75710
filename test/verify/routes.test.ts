// The routes as the cluster reports them: release, keeper or Job, node by node.
import type { KubeObject } from '../../src/base/objects.ts';
import { routeLayer } from '../../src/verify/routes.ts';
import type { Check } from '../../src/verify/types.ts';
import { assert, describe } from '../helpers/suite.ts';
import { bothWays, createWorld, header, keeper, keeperPod, namespace, node, type SceneOptions, sceneOf, type World } from './world.ts';

/** Checks about cluster one that did not pass, `n1: message`. */
async function remarks(world: World, options: SceneOptions = {}): Promise<string[]> {
  const { checks } = await routeLayer.run(sceneOf(world, options), bothWays);
  return checks.filter(({ from, outcome }) => from.cluster === 'one' && outcome !== 'passed').map(describeCheck);
}

function describeCheck({ from, outcome, message }: Check): string {
  return `${from.node ?? 'cluster'} ${outcome}: ${message}`;
}

function jobPod(on: string, exitCode: number, message = ''): KubeObject {
  const { metadata, ...rest } = keeperPod(on, false);
  const labels = { ...metadata.labels, 'app.kubernetes.io/component': 'job' };
  const containerStatuses = [{ state: { terminated: { exitCode, message } } }];
  return { ...rest, metadata: { ...metadata, name: `job-${on}`, labels }, status: { containerStatuses } };
}

describe('the layer of routes', ({ test }) => {
  test('passes when the keeper of every node is ready', async () => {
    const { checks } = await routeLayer.run(sceneOf(createWorld()), bothWays);

    assert.equal(
      checks.map(({ from, name, outcome }) => `${from.cluster}/${from.node} ${name} ${outcome}`),
      ['one/n1 keeper passed', 'one/n2 keeper passed', 'two/n1 keeper passed', 'two/n2 keeper passed'],
    );
  });

  test('says that nothing is installed', async () => {
    const world = createWorld();
    world.one.remove(header());

    assert.equal(await remarks(world), ['cluster failed: route-installer is not installed']);
  });

  test('says that something else is installed than out/ holds', async () => {
    const world = createWorld();
    world.one.add(header('route-installer-0.1.0_bbbbbbbbbbbb'));

    assert.equal(await remarks(world), [
      'cluster failed: installed is route-installer-0.1.0_bbbbbbbbbbbb, out/ holds route-installer-0.1.0_aaaaaaaaaaaa',
    ]);
  });

  test("gives the agent's own reason, and names nodes without a pod or with older routes", async () => {
    const world = createWorld();
    const { spec, ...pod } = keeperPod('n1', false);
    world.one.add({
      ...pod,
      spec,
      status: { containerStatuses: [{ state: { terminated: { message: 'a foreign route\nis in the way' } } }] },
    });
    world.one.remove(keeperPod('n2'));
    world.one.add(node('n3'), keeperPod('n3', true, '000000000000'));

    const told = await remarks(world, { change: (cluster) => ({ ...cluster, nodes: ['n1', 'n2', 'n3'] }) });

    assert.equal(told, [
      'n1 failed: a foreign route; is in the way',
      'n2 failed: no pod of the keeper on the node',
      'n3 failed: the pod of the keeper has older routes than out/',
    ]);
  });

  test('gives the last line of a keeper that runs and is not ready', async () => {
    const world = createWorld();
    world.one.add(keeperPod('n1', false));
    world.one.logs.set(`${namespace}/keeper-n1`, 'BAD-FILE the digest is another\u001b[2J\n');

    assert.equal(await remarks(world), ['n1 failed: BAD-FILE the digest is another\\u{1b}[2J']);
  });

  test('skips nodes that are away, and names one that joined later', async () => {
    const world = createWorld();
    world.one.add(node('n1', { ready: false }), node('n4'), node('fargate', { labels: { 'eks.amazonaws.com/compute-type': 'fargate' } }));
    world.one.remove(node('n2'));

    assert.equal(await remarks(world), [
      'n1 skipped: the node is not Ready',
      'n2 skipped: is not in the cluster any more; generate and install to take its routes away',
      'n4 failed: the node joined after the charts were generated, so no route leads to its pods',
    ]);
  });

  test('reads the Jobs where there is no keeper', async () => {
    const world = createWorld();
    world.one.remove(keeper);
    world.one.add(jobPod('n1', 0), jobPod('n2', 1, 'no such device'));

    assert.equal(await remarks(world), ['n2 failed: no such device']);
  });

  test('has nothing to look at where the network carries pod addresses', async () => {
    const told = await remarks(createWorld(), { change: ({ routes, ...cluster }) => (routes === undefined ? cluster : cluster) });

    assert.equal(told, ['cluster skipped: isthmus installs no routes here: routes.provider says that the network carries pod addresses']);
  });

  test('takes an error of the API server for a broken layer', async () => {
    const world = createWorld();
    const { IsthmusError } = await import('../../src/base/errors.ts');
    world.one.intercept = (request) => {
      if (request.startsWith(`GET /api/v1/namespaces/${namespace}/pods`)) throw new IsthmusError('failed', '403 Forbidden');
    };

    assert.equal(await remarks(world), ['cluster failed: 403 Forbidden']);
  });
});
