// Kubeconfigs as people have them, and as nobody should.
import { IsthmusError } from '../../src/base/errors.ts';
import { toYaml } from '../../src/base/yaml.ts';
import { loadContext } from '../../src/system/kubeconfig.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { fakeSystem } from '../helpers/system.ts';

const canary = 'canary-kubeconfig';

interface Parts {
  readonly context?: string;
  readonly cluster?: Record<string, unknown>;
  readonly user?: Record<string, unknown>;
  readonly userName?: string;
}

function kubeconfig({ context = 'one', cluster = {}, user = { token: canary }, userName = 'u' }: Parts = {}): string {
  return toYaml({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'nowhere',
    clusters: [{ name: 'c', cluster: { server: 'https://api.example:6443', ...cluster } }],
    users: [{ name: userName, user }],
    contexts: [{ name: context, context: { cluster: 'c', user: 'u' } }],
  });
}

const load = (files: Record<string, string>, access: { context?: string; kubeconfig?: string } = {}, env: Record<string, string> = {}) =>
  loadContext({ cluster: 'east', context: 'one', ...access }, { files: fakeSystem({ files }).files, env });

async function refusal(...args: Parameters<typeof load>): Promise<IsthmusError> {
  const error = await thrownBy(() => load(...args));
  assert.ok(error instanceof IsthmusError, String(error));
  assert.not.match(`${error.message}${error.hint}${error.where}`, canary);
  return error;
}

describe('a kubeconfig', ({ test }) => {
  const file = { kubeconfig: '/k' };

  test('is found by mesh.yaml, then KUBECONFIG, then in the home folder', async () => {
    const at = (host: string) => kubeconfig({ cluster: { server: `https://${host}` } });
    const files = { '/k': at('mesh'), '/e': at('env'), '/home/.kube/config': at('home') };

    assert.is((await load(files, file, { KUBECONFIG: '/e', HOME: '/home' })).server.host, 'mesh');
    assert.is((await load(files, {}, { KUBECONFIG: '/missing:/e', HOME: '/home' })).server.host, 'env');
    assert.is((await load(files, {}, { HOME: '/home' })).server.host, 'home');
  });

  test('may be split over files, where the first one that has a name wins', async () => {
    const first = kubeconfig({ context: 'two', cluster: { server: 'https://first' } });
    const files = { '/a': first, '/b': kubeconfig({ cluster: { server: 'https://second' } }) };

    assert.is((await load(files, {}, { KUBECONFIG: '/a:/b' })).server.host, 'first');
  });

  test('is never replaced by the account of a pod or by localhost:8080', async () => {
    const error = await refusal({}, {}, { HOME: '/home', KUBERNETES_SERVICE_HOST: '10.0.0.1' });

    assert.is(error.message, 'there is no kubeconfig');
  });

  test('names its contexts when the wanted one is missing', async () => {
    const error = await refusal({ '/k': kubeconfig({ context: 'a\u202eb' }) }, file);

    assert.is(error.message, 'has no context "one"');
    assert.is(error.hint, 'Contexts there: a\\u{202e}b');
  });

  test('must have the cluster and the user that the context names', async () => {
    assert.match((await refusal({ '/k': kubeconfig({ userName: 'other' }) }, file)).message, 'names user u, who is not there');
    assert.match(
      (await refusal({ '/k': 'contexts: [{name: one, context: {cluster: c, user: u}}]\n' }, file)).message,
      'names cluster c, which is not there',
    );
  });

  for (const [title, cluster, message] of [
    ['plain HTTP', { server: 'http://api.example' }, 'its server http://api.example is not https'],
    ['a password in the URL', { server: `https://me:${canary}@api.example` }, 'its server URL carries a user, a query or a fragment'],
    ['a query in the URL', { server: 'https://api.example/?a=b' }, 'its server URL carries a user, a query or a fragment'],
    ['no URL', { server: 'api.example' }, 'has no usable server URL'],
    [
      'no check of certificates',
      { 'insecure-skip-tls-verify': true },
      'it says insecure-skip-tls-verify, so anyone between could read the tokens',
    ],
  ] as const)
    test(`is refused with ${title}`, async () => {
      assert.is((await refusal({ '/k': kubeconfig({ cluster }) }, file)).message, message);
    });

  test('is refused when it is something else', async () => {
    assert.match((await refusal({ '/k': 'users: 5\n' }, file)).message, 'is not a kubeconfig');
    assert.match((await refusal({ '/k': 'a: 1\na: 2\n' }, file)).message, /twice|unique|already/i);
    assert.match((await refusal({ '/k': 'clusters: [{name: c}]\n' }, file)).message, 'is not a kubeconfig');
  });

  test('has its paths start at its own folder', async () => {
    const user = { 'client-certificate': 'me.crt', 'client-key': '/keys/me.key', exec: { command: './login', apiVersion: 'v1' } };
    const { config } = await load(
      { '/etc/k/config': kubeconfig({ user, cluster: { 'certificate-authority': 'ca.crt' } }) },
      { kubeconfig: '/etc/k/config' },
    );

    assert.is(config.getCurrentUser()?.certFile, '/etc/k/me.crt');
    assert.is(config.getCurrentUser()?.keyFile, '/keys/me.key');
    assert.is(config.getCurrentUser()?.exec.command, '/etc/k/login');
    assert.is(config.getCurrentCluster()?.caFile, '/etc/k/ca.crt');
  });
});
