// The remote secret, field by field as istioctl writes it.
import type { KubeObject } from '../../src/base/objects.ts';
import { parseYaml } from '../../src/base/yaml.ts';
import { applyRemoteSecret, buildRemoteSecret, hasRemoteSecret } from '../../src/release/remote-secret.ts';
import { createFakeClock } from '../helpers/clock.ts';
import { fakeCluster } from '../helpers/cluster.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const secret = {
  ...{ name: 'istio-remote-secret-cluster2', namespace: 'istio-system', remote: 'cluster2', primary: 'cluster1' },
  ...{ serviceAccount: 'reader', tokenSecret: 'reader-token' },
};
const token = (data: unknown): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'reader-token', namespace: 'istio-system' },
  data,
});
const filled = token({ token: Buffer.from('the-token').toString('base64'), 'ca.crt': 'Y2E=' });

function setting(objects: readonly KubeObject[] = [filled]) {
  const remote = fakeCluster({ objects });
  const clock = createFakeClock('2026-01-01T00:00:00Z');
  const options = { clock, signal: new AbortController().signal, timeoutMs: 5_000 };
  const build = (change = {}) => buildRemoteSecret({ ...secret, ...change }, remote.client('cluster2'), options);
  return { remote, build };
}

const kubeconfigOf = ({ data }: KubeObject) =>
  parseYaml(Buffer.from(String((data as Record<string, string>)['cluster2']), 'base64').toString(), 'kubeconfig').value;

describe('a remote secret', ({ test }) => {
  test('has the name, label, annotation and kubeconfig that istioctl gives it', async () => {
    const { build } = setting();

    const built = await build();

    assert.equal(built.metadata, {
      name: 'istio-remote-secret-cluster2',
      namespace: 'istio-system',
      labels: { 'app.kubernetes.io/managed-by': 'isthmus', 'istio/multiCluster': 'true' },
      annotations: { 'networking.istio.io/cluster': 'cluster2' },
    });
    assert.equal(Object.keys(built['data'] as object), ['cluster2']);
    assert.equal(kubeconfigOf(built), {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ cluster: { 'certificate-authority-data': 'Y2E=', server: 'https://cluster2.example:6443' }, name: 'cluster2' }],
      contexts: [{ context: { cluster: 'cluster2', user: 'cluster2' }, name: 'cluster2' }],
      'current-context': 'cluster2',
      preferences: {},
      users: [{ name: 'cluster2', user: { token: 'the-token' } }],
    });
  });

  test('is named as its key for Istio 0.8, which looks for that', async () => {
    const { build } = setting();

    const built = await build({ name: 'cluster2' });

    assert.is(built.metadata.name, 'cluster2');
    assert.equal(Object.keys(built['data'] as object), ['cluster2']);
  });

  test('waits for the token controller, but not for ever', async () => {
    const { remote, build } = setting([token(undefined)]);
    let asked = 0;
    remote.intercept = () => {
      if (++asked === 3) remote.add(filled);
    };

    assert.ok(await build());
    assert.match(((await thrownBy(() => setting([token({ token: '' })]).build())) as Error).message, 'has no token');
  });

  for (const server of [
    'https://localhost:6443',
    'https://127.0.0.1',
    'https://[::1]:6443',
    'https://0.0.0.0:1',
    'https://kubernetes.default.svc',
  ])
    test(`is refused for ${server}, which means something else in the primary`, async () => {
      const error = (await thrownBy(() => setting().build({ server }))) as Error;

      assert.match(error.message, 'ISM077');
    });

  test('is known again, and not when anything in it differs', async () => {
    const primary = fakeCluster();
    const client = primary.client('cluster1');
    const built = await setting().build();

    assert.is(await hasRemoteSecret(client, built), false);
    await applyRemoteSecret(client, built, false);
    assert.is(await hasRemoteSecret(client, built), true);
    assert.is(await hasRemoteSecret(client, { ...built, data: { cluster2: 'b3RoZXI=' } }), false);
    assert.is(await hasRemoteSecret(client, { ...built, metadata: { ...built.metadata, labels: { 'istio/multiCluster': 'no' } } }), false);
  });

  test('does not overwrite what someone else put under that name', async () => {
    const built = await setting().build();
    const theirs = { ...built, data: { cluster2: 'dGhlaXJz' } };
    const primary = fakeCluster({ objects: [theirs] });

    const error = (await thrownBy(() => applyRemoteSecret(primary.client('cluster1'), built, false))) as Error;

    assert.match(error.message, 'conflict with "kubectl"');
    assert.equal(primary.find('Secret', built.metadata.name)?.['data'], theirs.data);
  });

  for (const [whose, release, taken] of [
    ['of install.sh for the same remote is taken over', 'remote-secret-cluster2', true],
    ['of another helm release is left as it is', 'theirs', false],
  ] as const)
    test(`that is there already and is ${whose}`, async () => {
      const built = await setting().build();
      const annotations = {
        ...built.metadata.annotations,
        'meta.helm.sh/release-name': release,
        'meta.helm.sh/release-namespace': built.metadata.namespace ?? '',
      };
      const there = {
        ...built,
        metadata: { ...built.metadata, labels: { 'istio/multiCluster': 'true' }, annotations },
        data: { cluster2: 'b2xk' },
      };
      const primary = fakeCluster({ objects: [there] });
      const client = primary.client('cluster1');

      const error = await applyRemoteSecret(client, built, false).catch((reason: unknown) => reason);

      assert.is(error === undefined, taken);
      assert.equal(primary.find('Secret', built.metadata.name)?.['data'], taken ? built['data'] : there.data);
    });
});
