// The first mesh.yaml: names from contexts, comments from clusters, and text that loads back.
import fc from 'fast-check';
import { dns1123Label, maxClusterName } from '../../src/base/names.ts';
import { clusterNames, initialMesh } from '../../src/spec/init.ts';
import { loadMesh } from '../../src/spec/load.ts';
import { assert, describe } from '../helpers/suite.ts';

describe('clusterNames', ({ test }) => {
  const rows: readonly (readonly [string, string])[] = [
    ['arn:aws:eks:eu-west-1:123456789012:cluster/prod', 'prod'],
    ['arn:aws-cn:eks:cn-north-1:123456789012:cluster/Prod_EU', 'prod-eu'],
    ['kubernetes-admin@kubernetes', 'kubernetes'],
    ['gke_project-1_europe-west1-b_prod-1', 'prod-1'],
    ['default/api-example-com:6443/kube:admin', 'api-example-com'],
    ['kind-a', 'kind-a'],
    ['minikube', 'minikube'],
    ['Icp_1.local', 'icp-1-local'],
    ['__proto__', 'proto'],
    ['constructor', 'constructor-2'],
    ['\u{43f}\u{440}\u{43e}\u{434}', 'cluster'],
    ['---', 'cluster'],
    ['', 'cluster'],
    ['123', '123'],
    ['a'.repeat(80), 'a'.repeat(40)],
    [`${'a'.repeat(39)}-b`, 'a'.repeat(39)],
  ];
  for (const [context, name] of rows) {
    test(`names "${context}" ${name}`, () => {
      assert.equal(clusterNames([context]), [name]);
    });
  }

  test('numbers names that would be the same', () => {
    assert.equal(clusterNames(['u@prod', 'prod', 'prod-2', 'PROD']), ['prod', 'prod-2', 'prod-2-2', 'prod-3']);
    assert.equal(clusterNames(['a'.repeat(50), 'a'.repeat(60)]), ['a'.repeat(40), `${'a'.repeat(38)}-2`]);
  });

  test('gives valid and different names for any contexts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'aA1-_@/:.') })), { maxLength: 12 }),
        (contexts) => {
          const names = clusterNames(contexts);

          assert.is(names.length, contexts.length);
          assert.is(new Set(names).size, names.length);
          for (const name of names) assert.ok(dns1123Label.test(name) && name.length <= maxClusterName, name);
        },
      ),
      { seed: 2, numRuns: 1000 },
    );
  });
});

const mesh = {
  name: 'bookinfo',
  istio: { version: '1.30.3' },
  clusters: [
    { name: 'icp-1', context: 'icp-1', comments: ['Kubernetes 1.34.4, 3 nodes', 'Calico, no encapsulation'] },
    {
      name: 'no',
      context: 'arn:aws:eks:eu-west-1:1:cluster/no',
      kubeconfig: '/home/a/.kube/config',
      network: 'network2',
      podCIDRs: ['20.1.0.0/16'],
      serviceCIDRs: ['20.0.0.0/24'],
      apiServer: 'https://10.0.0.1:6443',
      comments: [],
    },
  ],
} as const;

describe('initialMesh', ({ test }) => {
  test('writes a short file with what was found as comments', () => {
    assert.is(
      initialMesh(mesh),
      `# What isthmus joins into one Istio mesh. Every field that is not here has a default; docs/mesh.md lists them all.
apiVersion: isthmus/v1
kind: Mesh
metadata:
  name: bookinfo
istio:
  version: 1.30.3
clusters:
  # Kubernetes 1.34.4, 3 nodes
  # Calico, no encapsulation
  - name: icp-1
    role: primary
    context: icp-1

  - name: "no"
    role: remote
    context: arn:aws:eks:eu-west-1:1:cluster/no
    kubeconfig: /home/a/.kube/config
    network: network2
    podCIDRs:
      - 20.1.0.0/16
    serviceCIDRs:
      - 20.0.0.0/24
    apiServer: https://10.0.0.1:6443
`,
    );
  });

  test('loads back with every field as it was given', () => {
    const { clusters } = loadMesh(initialMesh(mesh), 'mesh.yaml', '/').mesh;

    const { comments, ...second } = mesh.clusters[1];
    assert.equal(comments, []);
    assert.equal({ ...clusters[1], loadBalancer: undefined }, { ...second, role: 'remote', loadBalancer: undefined });
    assert.is(clusters[0]?.role, 'primary');
  });

  test('takes roles as they are given', () => {
    const text = initialMesh({
      ...mesh,
      clusters: [
        { name: 'a', context: 'a', role: 'remote', comments: [] },
        { name: 'b', context: 'b', role: 'primary', comments: [] },
      ],
    });

    assert.equal(
      loadMesh(text, 'mesh.yaml', '/').mesh.clusters.map(({ role }) => role),
      ['remote', 'primary'],
    );
  });

  test('lets no comment of a cluster become a field', () => {
    const text = initialMesh({
      ...mesh,
      clusters: [{ name: 'a', context: 'a', comments: ['x\n    kubeconfig: evil', '\u{2028}y', '\u{85}z\r- b'] }],
    });

    assert.is(loadMesh(text, 'mesh.yaml', '/').mesh.clusters[0]?.kubeconfig, undefined);
    assert.ok(text.includes('  # x\\u{a}    kubeconfig: evil\n  # \\u{2028}y\n  # \\u{85}z\\u{d}- b\n'));
  });

  test('loads back for any contexts and comments', () => {
    const contexts = fc.uniqueArray(
      fc.string({ minLength: 1 }).filter((text) => !text.startsWith('-')),
      { minLength: 1, maxLength: 5 },
    );

    fc.assert(
      fc.property(contexts, fc.array(fc.string({ unit: 'binary' })), (list, comments) => {
        const names = clusterNames(list);
        const clusters = list.map((context, index) => ({ name: names[index] ?? '', context, comments }));

        const loaded = loadMesh(initialMesh({ name: 'a', istio: { version: '0.8.0' }, clusters }), 'mesh.yaml', '/');

        assert.equal(
          loaded.mesh.clusters.map(({ context }) => context),
          list,
        );
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});
