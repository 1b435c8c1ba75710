// Istio that isthmus installs itself, from Istio's own charts, on real API servers: once, not twice, and away again.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseYaml, toYaml } from '../../src/base/yaml.ts';
import { helms } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';
import { istioCharts } from '../lab/toolchain.ts';
import { objectAt, type Scene, startScene } from './scene.ts';
import { allVersions, contents, differences, settledContents } from './state.ts';

const minutes = { timeoutMs: 240_000 };
const deployment = '/apis/apps/v1/namespaces/istio-system/deployments/istiod';
const gateways = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gateways.networking.istio.io';

describe('an Istio of isthmus on real API servers', ({ test, before, after }) => {
  let scene: Scene;
  let untouched: ReadonlyMap<string, unknown>;

  before(async () => {
    scene = await startScene({ empty: true });
    untouched = await settledContents(scene);
    await scene.writeMesh({ ilbAddress: '9.111.255.5' });
    const charts = await istioCharts();
    editIstio((istio) => Object.assign(istio, { install: true, charts }));
  });
  after(() => scene?.stop());

  const editIstio = (edit: (istio: Record<string, unknown>) => void) => {
    const file = join(scene.folder, 'mesh.yaml');
    const mesh = parseYaml(readFileSync(file, 'utf8'), file).value as { istio: Record<string, unknown> };
    edit(mesh.istio);
    writeFileSync(file, toYaml(mesh));
  };

  for (const helm of helms) {
    test(
      `is installed by ${helm} before everything else, with the names of the mesh`,
      async () => {
        await scene.isthmus(helm, 'generate', '--overwrite');
        await scene.isthmus(helm, 'install');

        const { spec } = (await objectAt(scene.primary, deployment)) as unknown as DeploymentObject;
        const env = new Map(spec.template.spec.containers[0]?.env.map(({ name, value }) => [name, value]));
        assert.equal([env.get('CLUSTER_ID'), env.get('EXTERNAL_ISTIOD')], ['cluster1', 'true']);
        assert.is(spec.template.spec.containers[0]?.image, 'registry.istio.io/release/pilot:1.30.3');
        await objectAt(scene.primary, gateways);
        await objectAt(scene.primary, '/api/v1/namespaces/istio-system/secrets/istio-remote-secret-cluster2');
      },
      minutes,
    );

    test(
      `is left alone by a second install with ${helm}`,
      async () => {
        const before = await allVersions(scene);

        const { stdout } = await scene.isthmus(helm, 'install');

        assert.match(stdout, 'unchanged');
        assert.equal(await allVersions(scene), before);
      },
      minutes,
    );

    test(
      `is gone after uninstall with ${helm}`,
      async () => {
        await scene.isthmus(helm, 'uninstall');

        assert.equal(differences(untouched, await contents(scene)), []);
      },
      minutes,
    );
  }

  test(
    'is refused where an Istio runs that came by other means, before any write',
    async () => {
      const labels = { app: 'istiod', 'helm.sh/chart': 'istiod-1.30.3' };
      const container = { name: 'discovery', image: 'registry.istio.io/release/pilot:1.30.3' };
      const template = { metadata: { labels }, spec: { containers: [container] } };
      const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'istiod', labels } };
      await scene.primary.client.request('POST', '/api/v1/namespaces', { metadata: { name: 'istio-system' } });
      await scene.primary.client.request('POST', '/apis/apps/v1/namespaces/istio-system/deployments', {
        ...object,
        spec: { selector: { matchLabels: labels }, template },
      });

      const { code, stderr } = await scene.start(helms[0], ['generate', '--overwrite']).outcome;

      assert.is(code, 3, stderr);
      assert.match(stderr, 'ISM079');
    },
    minutes,
  );
});

interface DeploymentObject {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly {
          readonly image: string;
          readonly env: readonly { readonly name: string; readonly value?: string }[];
        }[];
      };
    };
  };
}
