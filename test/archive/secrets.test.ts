// The search for secrets: it finds what a kubeconfig, a cloud or a colleague would leave behind, and nothing in what isthmus generates.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { refuseSecretData, refuseSecrets } from '../../src/archive/secrets.ts';
import { IsthmusError } from '../../src/base/errors.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const root = join(import.meta.dirname, '..', '..');
const key = ['-----BEGIN EC', 'PRIVATE KEY-----'].join(' ');
const long = 'c0ffee'.repeat(5);

const secrets: readonly (readonly [text: string, what: string])[] = [
  [key, 'holds a private key'],
  [['-----BEGIN', 'PRIVATE KEY-----'].join(' '), 'holds a private key'],
  [`data: ${Buffer.from(`${key}\nMHc`).toString('base64')}`, 'holds a private key'],
  [`eyJ${long}.eyJ${long}.${long}`, 'holds a token'],
  [`x: ghp_${'a1B2'.repeat(9)}`, 'holds a token'],
  [`x: AKIA${'ABCD'.repeat(4)}`, 'holds a token'],
  [`users:\n- user:\n    client-key-data: ${long}`, 'holds a kubeconfig'],
  [`  token: "${long}"`, 'holds a token or password'],
  [`{"a":1,"token":"${long}"}`, 'holds a token or password'],
  [`password: ${long}`, 'holds a token or password'],
  [`{"auths":{"x":{"auth":"${long}"}}}`, 'holds credentials of a registry'],
  [`url: https://me:${long}@host/`, 'holds a URL with a password'],
  ['apiVersion: v1\nkind: Config\ncurrent-context: a\n', 'holds a kubeconfig'],
];

describe('the search for secrets', ({ test }) => {
  for (const [text, what] of secrets) {
    test(`${what}: ${text.slice(0, 12).replaceAll(/\s+/g, ' ')}`, async () => {
      const error = await thrownBy(() => refuseSecrets('a.yaml', `first: line\n${text}\n`));

      assert.ok(error instanceof IsthmusError, String(error));
      assert.match(error.message, what);
      assert.match(error.where ?? '', /^a\.yaml(:[23]|:4)?$/);
      assert.not.match(`${error.message}${error.hint}`, long);
    });
  }

  test('goes by names, too', async () => {
    for (const name of ['kubeconfig', 'x/kubeconfig.yaml', 'a/tls.key', 'id_ed25519', '.env', 'b.p12'])
      assert.match(String(await thrownBy(() => refuseSecrets(name, ''))), 'is named like', name);
  });

  test('finds Secrets with data, and lets those pass that ask for a token', async () => {
    refuseSecretData('a', { kind: 'Secret', type: 'kubernetes.io/service-account-token' });
    refuseSecretData('a', { kind: 'ConfigMap', data: { a: 'b' } });

    assert.match(String(await thrownBy(() => refuseSecretData('a', { kind: 'Secret', data: { a: 'eA==' } }))), 'is a Secret with data');
    assert.match(String(await thrownBy(() => refuseSecretData('a', { kind: 'Secret', stringData: { a: 'x' } }))), 'is a Secret with data');
  });

  test('takes no longer for texts that are made to keep it busy', () => {
    const pieces = [
      '\n',
      ' ',
      '\t\n',
      'a.',
      'eyJ-',
      '-----BEGIN ',
      'LS0tLS1CRUdJTi',
      '{ ',
      'token: ',
      'a://',
      'a://b:',
      '"auth" : ',
      'kind: ',
    ];

    for (const piece of pieces) {
      const text = piece.repeat(Math.ceil(4_000_000 / piece.length));
      const start = performance.now();
      refuseSecrets('a.yaml', text);
      assert.ok(performance.now() - start < 10_000, JSON.stringify(piece));
    }
  });

  test('finds none in charts, templates and what is generated from them', () => {
    for (const folder of ['charts', 'templates', 'test/golden/out']) {
      const paths = readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());

      assert.ok(paths.length > 0, folder);
      for (const { parentPath, name } of paths) refuseSecrets(name, readFileSync(join(parentPath, name), 'utf8'));
    }
  });
});
