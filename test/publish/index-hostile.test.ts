// An index.yaml from outside: it is refused with a reason, or merged without a loss.
import fc from 'fast-check';
import { IsthmusError } from '../../src/base/errors.ts';
import { mergeIndex } from '../../src/publish/index-file.ts';
import { assert, describe } from '../helpers/suite.ts';
import { entriesOf, entry, helmIndex, refusal } from './index-scene.ts';

describe('an index.yaml from outside', ({ test }) => {
  const hostile: readonly (readonly [string, string, RegExp])[] = [
    ['of another kind', 'apiVersion: v2\nentries: {}\n', /is no index of a chart repository: apiVersion/],
    ['that is a list', '- apiVersion: v1\n', /is no index/],
    ['without contents', '', /the file is empty/],
    ['in JSON', '{"apiVersion": "v1", "entries": {"a": [{"version": "1.0.0"}]}}', /is not written as helm writes it/],
    ['in flow style', 'apiVersion: v1\nentries: {a: [{version: 1.0.0}]}\n', /is not written as helm writes it/],
    ['with a chart in flow style', 'apiVersion: v1\nentries:\n  a: [{version: 1.0.0}]\n', /is not written as helm writes it/],
    ['with a key that sets prototypes', 'apiVersion: v1\nentries:\n  __proto__:\n  - version: 1.0.0\n', /__proto__ is not allowed/],
    ['with a chart listed twice', 'apiVersion: v1\nentries:\n  a: []\n  a: []\n', /is there twice/],
    ['with versions that are none', 'apiVersion: v1\nentries:\n  a:\n  - version: 1\n', /entries\.a\.0\.version/],
    ['with a tag', 'apiVersion: v1\nentries: !!python/object {}\n', /tag/],
    [
      'with a billion laughs',
      `apiVersion: v1\nx0: &x0 [a, a, a, a, a, a, a, a, a, a]\n${Array.from({ length: 12 }, (_, n) => `x${n + 1}: &x${n + 1} [${Array(10).fill(`*x${n}`).join(', ')}]\n`).join('')}entries: {}\n`,
      /aliases add more than/,
    ],
    ['that is huge', `apiVersion: v1\nentries:\n  a:\n  - version: 1.0.0\n    d: ${'x'.repeat(5 * 2 ** 20)}\n`, /larger than 4 MiB/],
    ['that nests deeply', `apiVersion: v1\nentries:\n  a:\n  - version: 1.0.0\n    d: ${'['.repeat(2000)}\n`, /nested more than/],
  ];
  for (const [title, text, reason] of hostile) {
    test(`${title} is refused`, async () => {
      const error = await refusal(text, [entry('ours', '1.0.0')]);

      assert.match(error.message, reason);
      assert.match(error.where ?? '', '/repo/index.yaml');
    });
  }

  test('with anchors that our order would break is refused rather than changed', async () => {
    const text = 'apiVersion: v1\nentries:\n  zebra:\n  - &z\n    version: 1.0.0\n  apple:\n  - *z\n';

    assert.match((await refusal(text, [entry('mango', '1.0.0')])).message, /anchor|could not be kept/);
  });

  test('of five thousand charts is merged in seconds', () => {
    const versions = Array.from({ length: 5_000 }, (_, n) => `  c${n}:\n  - version: 1.0.${n}\n    name: c${n}\n`).join('');
    const start = performance.now();

    const text = mergeIndex(`apiVersion: v1\nentries:\n${versions}`, [entry('ours', '1.0.0')], 'index.yaml');

    assert.is(Object.keys(entriesOf(text)).length, 5_001);
    assert.ok(performance.now() - start < 20_000);
  });

  test('that is damaged anywhere is refused or merged without a loss, never anything else', () => {
    const pieces = [
      '  ',
      '- ',
      '#',
      ':',
      '\n',
      '"',
      "'",
      '{',
      '}',
      '[',
      ']',
      '|',
      '>',
      '&a',
      '*a',
      '!',
      '\t',
      '\u0000',
      '\r\n',
      '---\n',
      '? ',
      'é',
    ];
    const damage = fc.record({
      at: fc.nat(helmIndex.length),
      cut: fc.nat(20),
      put: fc.array(fc.constantFrom(...pieces), { maxLength: 3 }),
    });

    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) => {
        const text = damages.reduce((each, { at, cut, put }) => each.slice(0, at) + put.join('') + each.slice(at + cut), helmIndex);
        let merged: string;
        try {
          merged = mergeIndex(text, [entry('nginx', '9.0.0'), entry('ours', '1.0.0')], 'index.yaml');
        } catch (error) {
          assert.ok(error instanceof IsthmusError, `${String(error)}\n${text}`);
          return;
        }
        const after = new Map(Object.entries(entriesOf(merged)));
        for (const [name, versions] of Object.entries(entriesOf(text) ?? {}))
          for (const old of versions)
            assert.ok(
              after.get(name)?.some((each) => JSON.stringify(each) === JSON.stringify(old)),
              text,
            );
      }),
      { seed: 20261122, numRuns: 1000 },
    );
  });
});
