// helm test of route-installer on real nodes: a pod without capabilities tells whether the kernel of its node has the routes.
import { helms } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';
import { labImages } from '../lab/nodes/images.ts';
import type { Machine } from '../lab/nodes/machine.ts';
import { createOperator, type Operator } from './operator.ts';
import { type RoutedLab, startRoutedLab } from './routed.ts';

const long = { timeoutMs: 300_000 };

describe('helm test of route-installer', ({ test, before, after }) => {
  let routed: RoutedLab;

  before(async () => {
    routed = await startRoutedLab();
    await routed.operator.writeMesh((mesh) => {
      for (const cluster of mesh.clusters) cluster['role'] = 'primary';
      // A keeper would mend what is broken here before anybody looks.
      mesh.routes = { image: labImages.tools, keeper: false };
    });
    await routed.install();
  });
  after(() => routed?.stop());

  for (const helm of helms) {
    test(
      `passes on nodes that have their routes, and names what a node lacks (${helm})`,
      async () => {
        const operator = createOperator(routed.lab, helm);
        const [node] = [...routed.one.nodes.values()].map(({ machine }) => machine);
        if (node === undefined) throw new Error('the lab has no node');
        const [target = ''] = await routesOf(node);

        const good = await testRoutes(operator, routed.one.name);
        await node.run('ip', 'route', 'del', ...target.split(' '), 'proto', '157');
        const bad = await testRoutes(operator, routed.one.name);
        const left = await routesOf(node);
        await node.run('ip', 'route', 'add', ...target.split(' '), 'proto', '157');
        const mended = await testRoutes(operator, routed.one.name);

        operator.remove();
        assert.is(good.code, 0, good.text);
        assert.is(good.text.match(/Phase: +Succeeded/g)?.length, routed.one.nodes.size, good.text);
        assert.is(bad.code, 1, bad.text);
        assert.match(bad.text, `MISSING ${target}`);
        assert.not.ok(left.includes(target), 'the test put the route back');
        assert.is(mended.code, 0, mended.text);
        assert.not.match(mended.text, 'MISSING');
      },
      long,
    );
  }
});

/** `20.1.31.128/26 via 9.111.255.152`, a line for each route of ours. */
async function routesOf(machine: Machine): Promise<string[]> {
  const rows = (await machine.run('ip', 'route', 'show', 'proto', '157')).trim().split('\n');
  return rows.map((row) => row.replace(/ dev .*/, ''));
}

/** Runs the tests; one that fails is a result here. The text is what helm says, and the logs of the pods that are left. */
async function testRoutes({ run }: Operator, context: string): Promise<{ readonly code: number; readonly text: string }> {
  const said = await run('sh', '-c', `helm test route-installer --namespace isthmus-system --kube-context ${context} 2>&1; echo "exit $?"`);
  const selector = 'app.kubernetes.io/component=test';
  const logs = await run('kubectl', '--context', context, '--namespace', 'isthmus-system', 'logs', '--selector', selector);
  return { code: Number(/exit (\d+)\s*$/.exec(said)?.[1]), text: `${said}${logs}` };
}
