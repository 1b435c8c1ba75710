// Three clusters: two of one flat network, joined by routes, and one with the pod CIDR of the first, joined to both by gateways.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toYaml } from '../../src/base/yaml.ts';
import { settledContents } from '../e2e/state.ts';
import { assert, describe } from '../helpers/suite.ts';
import { apartShape, startApartLab } from '../lab/nodes/apart.ts';
import type { RealCluster } from '../lab/nodes/cluster.ts';
import { changesOf, dumpAll, expectUntouched } from './changes.ts';
import { answersIn, bookinfoAnswers, expectedAnswers } from './mesh-scene.ts';
import { balancedMesh, prepareScene } from './scene.ts';

const minutes = (count: number) => ({ timeoutMs: count * 60_000 });

describe('two flat clusters and a third behind its gateway', ({ test, ...hooks }) => {
  const scene = prepareScene(hooks, {
    start: () => startApartLab(apartShape(3, [2])),
    look: async (lab) => ({ objects: await settledContents(lab), dumps: await dumpAll(lab) }),
  });
  const clusters = () => scene().lab.clusters as readonly [RealCluster, RealCluster, RealCluster];

  test(
    'are joined by one install: routes lead from each flat cluster to the other, and nowhere else',
    async () => {
      const { lab, operator, untouched } = scene();
      const [primary, near] = clusters();
      await operator.writeMesh((mesh) => {
        balancedMesh(mesh);
        const clusters = mesh.clusters.filter(({ name }) => name !== near.name);
        writeFileSync(join(operator.folder, 'two.yaml'), toYaml({ ...mesh, clusters }));
      });
      await operator.isthmus('generate', '--out', 'out');
      await operator.isthmus('install', 'out');

      const routes = changesOf(untouched.dumps, await dumpAll(lab)).filter(
        (line) => line.includes(': + routes: ') && line.includes(' via '),
      );
      const wanted = [
        [primary, near],
        [near, primary],
      ].flatMap(([from, to]) =>
        [...(from?.nodes.values() ?? [])].flatMap((node) => [...(to?.nodes.values() ?? [])].map((hop) => ({ node, hop }))),
      );
      assert.is(routes.length, wanted.length, routes.join('\n'));
      for (const { node, hop } of wanted)
        assert.ok(
          routes.some((line) => line.startsWith(`${node.shape.machine}: `) && line.includes(` via ${hop.shape.address} `)),
          `${node.shape.machine} via ${hop.shape.address}`,
        );
    },
    minutes(5),
  );

  test(
    'pass isthmus verify: routes and pods of the flat clusters, and gateways for the others',
    async () => {
      const [primary, , far] = clusters();
      const { stdout } = await scene().operator.isthmus('verify', 'out');

      assert.match(stdout, `${primary.name} and ${far.name} are in different networks`);
      assert.match(stdout, 'all 6 ordered pairs of clusters work');
    },
    minutes(3),
  );

  test(
    'answer BookInfo over routes, and pods of the third cluster through gateways',
    async () => {
      const { operator } = scene();
      const [primary, near, far] = clusters();

      assert.equal(await bookinfoAnswers(operator, 'out'), expectedAnswers(primary, near));
      assert.equal(await answersIn(far, { from: primary, count: 2 }), [`reviews-v1 ${primary.name}`, `reviews-v3 ${near.name}`]);
      await operator.isthmus('demo', 'bookinfo', 'out', '--remove');
    },
    minutes(5),
  );

  test(
    'answer BookInfo through gateways, at the same time, and pods of the flat remote both ways',
    async () => {
      const { operator } = scene();
      const [primary, near, far] = clusters();
      await operator.isthmus('generate', '--file', 'two.yaml', '--out', 'two');

      assert.equal(await bookinfoAnswers(operator, 'two'), expectedAnswers(primary, far));
      assert.equal(await answersIn(near, { from: primary, count: 2 }), [`reviews-v1 ${primary.name}`, `reviews-v3 ${far.name}`]);
      await operator.isthmus('demo', 'bookinfo', 'two', '--remove');
    },
    minutes(5),
  );

  test(
    'are as before after the mesh is uninstalled',
    async () => {
      const { lab, operator, untouched } = scene();
      await operator.isthmus('uninstall', 'out');

      await expectUntouched(lab, untouched);
    },
    minutes(5),
  );
});
