// Names of Kubernetes and Istio, and text that hides what it is.
import { dns1123Label, escapeText, ilbNames, remoteSecretName, shortText } from '../../src/base/names.ts';
import { describeObject } from '../../src/base/objects.ts';
import { ilbServices } from '../../src/plan/control-plane/services.ts';
import { assert, describe } from '../helpers/suite.ts';

describe('names', ({ test }) => {
  test('are RFC 1123 labels to their very end', () => {
    for (const name of ['a', '1', 'a-b', 'no', 'cluster1', '0-0']) assert.ok(dns1123Label.test(name), name);
    for (const name of ['', '-', '-a', 'a-', 'A', 'a.b', 'a_b', 'a\n', '\na', 'a b', 'а', '__proto__'])
      assert.not.ok(dns1123Label.test(name), name);
  });

  test('of remote secrets are those of istioctl', () => {
    assert.is(remoteSecretName('cluster2'), 'istio-remote-secret-cluster2');
  });

  test('of ILBs are those that the plan makes', () => {
    for (const era of ['classic', 'modern'] as const) {
      assert.equal(
        [...ilbNames[era]],
        ilbServices(era).map(({ name }) => name),
      );
    }
  });

  test('of objects say kind and namespace', () => {
    assert.is(
      describeObject({ kind: 'Service', metadata: { name: 'istiod-ilb', namespace: 'istio-system' } }),
      'Service istio-system/istiod-ilb',
    );
    assert.is(describeObject({ kind: 'Node', metadata: { name: 'n1' } }), 'Node n1');
  });
});

describe('escapeText', ({ test }) => {
  const rows: readonly (readonly [string, string])[] = [
    ['plain ~ text', 'plain ~ text'],
    ['clust\u{435}r', 'clust\\u{435}r'],
    ['a\u{202e}b', 'a\\u{202e}b'],
    ['a\u{200b}b', 'a\\u{200b}b'],
    ['a\nb\tc\0', 'a\\u{a}b\\u{9}c\\u{0}'],
    ['\x1b[31m', '\\u{1b}[31m'],
    ['\u{1f600}', '\\u{1f600}'],
    ['\ud800', '\\u{d800}'],
    ['\x7f', '\\u{7f}'],
  ];
  for (const [text, shown] of rows) {
    test(`shows ${shown}`, () => {
      assert.is(escapeText(text), shown);
    });
  }
});

describe('shortText', ({ test }) => {
  test('cuts what is long and escapes the rest', () => {
    assert.is(shortText('a'.repeat(60)), 'a'.repeat(60));
    assert.is(shortText('a'.repeat(61)), `${'a'.repeat(60)}...`);
    assert.is(shortText('\u{435}'.repeat(61)), `${'\\u{435}'.repeat(60)}...`);
  });
});
