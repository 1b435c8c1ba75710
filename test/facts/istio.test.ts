// Istio as it is installed: revisions, versions, who installed it, and the root certificate.
import type { KubeObject } from '../../src/base/objects.ts';
import { formatFacts } from '../../src/facts/file.ts';
import type { ClusterFacts } from '../../src/facts/schema.ts';
import { inspectObjects, loadFixture } from '../helpers/reader.ts';
import { assert, describe } from '../helpers/suite.ts';

const primary = loadFixture('calico-primary');
/** As `openssl x509 -fingerprint -sha256` prints it. */
const fingerprint = 'B1:84:85:7F:D4:9E:62:53:92:95:49:04:87:19:F4:29:1E:87:6F:5B:3D:AE:9B:57:98:25:D1:8A:C7:2C:D4:0A';

function change(objects: readonly KubeObject[], kind: string, name: string, edit: (text: string) => string): KubeObject[] {
  return objects.map((object) =>
    object.kind === kind && object.metadata.name === name ? (JSON.parse(edit(JSON.stringify(object))) as KubeObject) : object,
  );
}

async function revision(edit: (text: string) => string): Promise<NonNullable<ClusterFacts['istio']>['revisions'][number] | undefined> {
  return (await inspectObjects(change(primary, 'Deployment', 'istiod', edit))).istio?.revisions[0];
}

describe('Istio', ({ test }) => {
  test('of a primary is found with all that a remote needs to know', async () => {
    const { istio } = await inspectObjects(primary);

    assert.equal(istio?.revisions, [
      {
        name: '',
        version: '1.30.3',
        hub: 'docker.io/istio',
        selector: { app: 'istiod', istio: 'pilot' },
        readyPods: 2,
        env: { CLUSTER_ID: 'cluster1', EXTERNAL_ISTIOD: 'true', PILOT_CERT_PROVIDER: 'istiod', REVISION: 'default' },
        network: 'network1',
        meshID: 'mesh1',
        trustDomain: 'cluster.local',
        managedBy: 'Helm release istiod',
      },
    ]);
    assert.is(istio?.rootCertFingerprint?.value, fingerprint);
    assert.is(istio?.namespaceNetwork?.value, 'network1');
    assert.equal(istio?.injectionWebhooks, ['istio-sidecar-injector']);
  });

  test('leaves environment that nobody asked for out of the facts', async () => {
    assert.not.match(formatFacts(await inspectObjects(primary)), 'canary');
  });

  test('of a named revision has its own Service and ConfigMaps', async () => {
    const named = ['istiod', 'istio', 'istio-sidecar-injector'].flatMap((name) =>
      primary
        .filter((object) => object.metadata.namespace === 'istio-system' && object.metadata.name === name)
        .map((object) => {
          const text = JSON.stringify(object)
            .replaceAll('"istio.io/rev":"default"', '"istio.io/rev":"blue"')
            .replace(`"name":"${name}"`, `"name":"${name}-blue"`)
            .replace('meshId: mesh1', 'meshId: mesh2');
          const changed = JSON.parse(text) as KubeObject & { spec: { selector: object } };
          return object.kind === 'Service'
            ? { ...changed, spec: { ...changed.spec, selector: { app: 'istiod', 'istio.io/rev': 'blue' } } }
            : changed;
        }),
    );

    const { istio } = await inspectObjects([...primary, ...named]);

    assert.equal(
      istio?.revisions.map(({ name, meshID, selector }) => [name, meshID, selector]),
      [
        ['', 'mesh1', { app: 'istiod', istio: 'pilot' }],
        ['blue', 'mesh2', { app: 'istiod', 'istio.io/rev': 'blue' }],
      ],
    );
  });

  const images: readonly (readonly [image: string, version: string])[] = [
    ['registry.example:5000/istio/pilot:1.29.1', '1.29.1'],
    ['docker.io/istio/pilot:1.31.0-rc.0', '1.31.0-rc.0'],
    [`docker.io/istio/pilot:1.30.1-distroless@sha256:${'a'.repeat(64)}`, '1.30.1'],
    [`docker.io/istio/pilot@sha256:${'a'.repeat(64)}`, '1.30.3'],
    ['docker.io/istio/pilot:latest', '1.30.3'],
  ];
  for (const [image, version] of images) {
    test(`of image ${image} is ${version}`, async () => {
      assert.is((await revision((text) => text.replace('docker.io/istio/pilot:1.30.3-distroless', image)))?.version, version);
    });
  }

  const installers: readonly (readonly [edit: (text: string) => string, managedBy: string])[] = [
    [(text) => text.replace('"istio":"pilot"', '"istio":"pilot","install.operator.istio.io/owning-resource":"unknown"'), 'istioctl'],
    [
      (text) =>
        text
          .replace('"istio":"pilot"', '"istio":"pilot","install.operator.istio.io/owning-resource":"mine"')
          .replace('meta.helm.sh/release-name', 'x'),
      'operator, IstioOperator mine',
    ],
    [
      (text) => text.replace('"name":"istiod"', '"name":"istiod","ownerReferences":[{"kind":"IstioRevision","name":"default"}]'),
      'Sail operator, IstioRevision default',
    ],
  ];
  for (const [edit, managedBy] of installers) {
    test(`installed by ${managedBy} says so`, async () => {
      assert.is((await revision(edit))?.managedBy, managedBy);
    });
  }

  test('before 1.5 is found by its Deployment istio-pilot', async () => {
    const { istio } = await inspectObjects(loadFixture('icp-cluster1'));

    assert.equal(istio?.revisions, [
      { name: '', version: '0.8.0', hub: 'gcr.io/istio-release', selector: { istio: 'pilot' }, readyPods: 1, env: {} },
    ]);
  });

  test('is absent where its namespace is', async () => {
    assert.is((await inspectObjects(loadFixture('kindnet'))).istio, undefined);
  });

  test('takes the root certificate of the default namespace where its own has none', async () => {
    const moved = change(primary, 'ConfigMap', 'istio-ca-root-cert', (text) =>
      text.replace('"namespace":"istio-system"', '"namespace":"default"'),
    );

    assert.equal((await inspectObjects(moved)).istio?.rootCertFingerprint, {
      value: fingerprint,
      source: 'ConfigMap default/istio-ca-root-cert',
    });
  });

  test('reports a root certificate that is none', async () => {
    for (const replacement of ['', 'MIIB', 'no certificate']) {
      const broken = change(primary, 'ConfigMap', 'istio-ca-root-cert', (text) =>
        text.replace(/MIIB[^"]*?-----END/, `${replacement}\\n-----END`),
      );

      const facts = await inspectObjects(broken);

      assert.is(facts.istio?.rootCertFingerprint, undefined);
      assert.equal(
        facts.problems.map(({ code, where }) => `${code} ${where}`),
        ['ISM008 ConfigMap istio-system/istio-ca-root-cert'],
      );
    }
  });

  test('reports mesh configuration that makes no sense and keeps the rest', async () => {
    const broken = change(primary, 'ConfigMap', 'istio', (text) => text.replace('"mesh":"', '"mesh":"trustDomain: [\\n'));

    const facts = await inspectObjects(broken);

    assert.is(facts.problems[0]?.where, 'ConfigMap istio-system/istio');
    assert.is(facts.istio?.revisions[0]?.meshID, 'mesh1');
    assert.is(facts.istio?.revisions[0]?.trustDomain, undefined);
  });
});
