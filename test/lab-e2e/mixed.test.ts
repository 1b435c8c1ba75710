// Three clusters: two of one flat network, joined by routes, and one with the pod CIDR of the first, joined to both by gateways.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toYaml } from '../../src/base/yaml.ts';
import { settledContents } from '../e2e/state.ts';
import { assert, describe } from '../helpers/suite.ts';
import { istioHub } from '../lab/istio-images.ts';
import { apartShape, startApartLab } from '../lab/nodes/apart.ts';
import type { RealCluster } from '../lab/nodes/cluster.ts';
import { labImages } from '../lab/nodes/images.ts';
import type { IstioLab } from '../lab/nodes/istio-lab.ts';
import { changesOf, type Dumps, dumpAll, lastingChanges } from './changes.ts';
import { bookinfoAnswers, expectedAnswers } from './gateway-scene.ts';
import { createOperator, type MeshFile, type Operator } from './operator.ts';

const minutes = (count: number) => ({ timeoutMs: count * 60_000 });

describe('two flat clusters and a third behind its gateway', ({ test, before, after }) => {
  let lab: IstioLab;
  let operator: Operator;
  let primary: RealCluster;
  let near: RealCluster;
  let far: RealCluster;
  let dumps: Dumps;
  let objects: ReadonlyMap<string, unknown>;

  before(async () => {
    lab = await startApartLab(apartShape(3, [2]));
    [primary, near, far] = lab.clusters as [RealCluster, RealCluster, RealCluster];
    operator = createOperator(lab);
    objects = await settledContents(lab);
    dumps = await dumpAll(lab);
  });
  after(async () => {
    operator?.remove();
    await lab?.stop();
  });

  test(
    'are joined by one install: routes lead from each flat cluster to the other, and nowhere else',
    async () => {
      await operator.writeMesh((mesh) => {
        edit(mesh);
        const clusters = mesh.clusters.filter(({ name }) => name !== near.name);
        writeFileSync(join(operator.folder, 'two.yaml'), toYaml({ ...mesh, clusters }));
      });
      await operator.isthmus('generate', '--out', 'out');
      await operator.isthmus('install', 'out');

      const routes = changesOf(dumps, await dumpAll(lab)).filter((line) => line.includes(': + routes: ') && line.includes(' via '));
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
      const { stdout } = await operator.isthmus('verify', 'out');

      assert.match(stdout, `${primary.name} and ${far.name} are in different networks`);
      assert.match(stdout, 'all 6 ordered pairs of clusters work');
    },
    minutes(3),
  );

  test(
    'answer BookInfo over routes',
    async () => {
      assert.equal(await bookinfoAnswers(operator, 'out'), expectedAnswers(primary, near));
      await operator.isthmus('demo', 'bookinfo', 'out', '--remove');
    },
    minutes(5),
  );

  test(
    'answer BookInfo through gateways, at the same time',
    async () => {
      await operator.isthmus('generate', '--file', 'two.yaml', '--out', 'two');

      assert.equal(await bookinfoAnswers(operator, 'two'), expectedAnswers(primary, far));
      await operator.isthmus('demo', 'bookinfo', 'two', '--remove');
    },
    minutes(5),
  );

  test(
    'are as before after the mesh is uninstalled',
    async () => {
      await operator.isthmus('uninstall', 'out');

      assert.equal(await lastingChanges(lab, { dumps, objects }), []);
    },
    minutes(5),
  );
});

function edit(mesh: MeshFile): void {
  Object.assign(mesh.istio, { hub: istioHub });
  for (const cluster of mesh.clusters) Object.assign(cluster, { loadBalancer: { platform: 'keepalived' } });
  mesh.routes = { image: labImages.tools };
}
