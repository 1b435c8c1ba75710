// Merging into an index.yaml that others write, too: nothing of theirs is lost.
import fc from 'fast-check';
import { toYaml } from '../../src/base/yaml.ts';
import { mergeIndex } from '../../src/publish/index-file.ts';
import { assert, describe } from '../helpers/suite.ts';
import { digests, entriesOf, entry, helmIndex, refusal } from './index-scene.ts';

describe('mergeIndex', ({ test }) => {
  test('makes an index where there is none', () => {
    const text = mergeIndex(undefined, [entry('b', '1.0.0'), entry('a', '1.0.0')], 'index.yaml');

    assert.match(text, /^apiVersion: v1\nentries:\n {2}a:\n {2}- name: a\n {4}version: 1\.0\.0\n/);
    assert.match(text, /\ngenerated: "1980-01-01T00:00:00Z"\n$/);
    assert.equal(Object.keys(entriesOf(text)), ['a', 'b']);
  });

  test('keeps every byte of entries that are not ours', () => {
    const lines = helmIndex.split('\n');

    const text = mergeIndex(helmIndex, [entry('apple', '1.0.0'), entry('zebra', '1.0.0')], 'index.yaml');

    const [apple, zebra] = ['apple', 'zebra'].map((name) => text.slice(text.indexOf(`  ${name}:`)).split(/\n {2}(?=[a-z]+:)|\ngen/)[0]);
    assert.is(text.replace(`${apple}\n`, '').replace(`${zebra}\n`, ''), lines.join('\n'));
  });

  test('puts versions of a chart that others publish, too, among theirs, new before old', () => {
    const text = mergeIndex(helmIndex, [entry('nginx', '0.1.5'), entry('nginx', '0.10.0'), entry('nginx', '0.10.0-rc.1')], 'index.yaml');

    assert.equal(
      entriesOf(text)['nginx']?.map(({ version }) => version),
      ['0.10.0', '0.10.0-rc.1', '0.2.0', '0.1.5', '0.1.0'],
    );
    for (const line of helmIndex.split('\n')) assert.ok(text.split('\n').includes(line), line);
  });

  test('orders versions that differ in build metadata alone, and texts that are no versions, the same every time', () => {
    const versions = ['1.0.0+b', 'latest', '1.0.0+a', '2.0.0'];

    const texts = [versions, versions.toReversed()].map((each) =>
      mergeIndex(
        undefined,
        each.map((version) => entry('a', version)),
        'i',
      ),
    );

    assert.is(texts[0], texts[1]);
    assert.equal(
      entriesOf(texts[0] ?? '')['a']?.map(({ version }) => version),
      ['2.0.0', '1.0.0+a', '1.0.0+b', 'latest'],
    );
  });

  test('writes an entry of ours anew when the package is the same, with where it is served now', () => {
    const before = mergeIndex(undefined, [entry('a', '1.0.0')], 'index.yaml');

    const after = mergeIndex(before, [{ ...entry('a', '1.0.0'), urls: ['https://elsewhere.corp/a-1.0.0.tgz'] }], 'index.yaml');

    assert.equal(entriesOf(after)['a']?.[0]?.['urls'], ['https://elsewhere.corp/a-1.0.0.tgz']);
    assert.is(entriesOf(after)['a']?.length, 1);
  });

  test('refuses a version that is listed with other contents, or without telling which', async () => {
    const before = mergeIndex(undefined, [entry('a', '1.0.0')], 'index.yaml');

    const [other, unknown] = [
      await refusal(before, [entry('a', '1.0.0', digests[1])]),
      await refusal(helmIndex, [entry('nginx', '0.1.0')]),
    ];

    for (const error of [other, unknown]) {
      assert.is(error.kind, 'findings');
      assert.match(error.message, 'with other contents, and a version is never replaced');
      assert.is(error.where, '/repo/index.yaml');
    }
  });

  const ownStyles: readonly (readonly [string, string])[] = [
    ['no charts yet', 'apiVersion: v1\nentries: {}\ngenerated: "2026-01-01T00:00:00Z"\n'],
    ['nothing after entries', 'apiVersion: v1\nentries:'],
    ['null', 'apiVersion: v1\nentries: null\n'],
    ['keys in another order', 'generated: "2026-01-01T00:00:00Z"\nentries: {} # none\napiVersion: v1\n'],
    ['deeper indentation', 'apiVersion: v1\nentries:\n    # about b\n    b:\n      # newest\n      - version: 1.0.0\n        name: b\n'],
    ['quoted names and empty lists', 'apiVersion: v1\nentries:\n  "b": []\n  \'c\':\n  - {name: c, version: 1.0.0}\n'],
    ['keys of other tools', 'apiVersion: v1\nserverInfo: {contextPath: /x}\nentries:\n  b:\n  - version: 1.0.0\n\n# end\nx: [1, 2]\n'],
    ['a start and an end', '---\napiVersion: v1\nentries:\n  b:\n  - version: 1.0.0\n...\n'],
  ];
  for (const [title, text] of ownStyles) {
    test(`takes an index with ${title}, and merging again changes nothing`, () => {
      const once = mergeIndex(text, [entry('a', '1.0.0'), entry('b', '2.0.0')], 'index.yaml');

      assert.is(mergeIndex(once, [entry('a', '1.0.0'), entry('b', '2.0.0')], 'index.yaml'), once);
      assert.equal(entriesOf(once)['b']?.[0]?.version, '2.0.0');
    });
  }

  test('loses nothing, whatever charts and versions are there, and gives the same text in any order of ours', () => {
    const name = fc.constantFrom('a', 'b', 'constructor', 'toString', '0', '12', 'z-1', 'x.y');
    const version = fc.tuple(fc.nat(3), fc.nat(3)).map(([major, minor]) => `${major}.${minor}.0`);
    const theirs = fc.record({
      version,
      text: fc.string({ unit: 'binary' }),
      number: fc.double(),
      flag: fc.boolean(),
      list: fc.array(fc.string()),
    });
    const index = fc.dictionary(name, fc.uniqueArray(theirs, { selector: (each) => each.version, maxLength: 4 }));
    const ours = fc.uniqueArray(fc.tuple(name, version), { selector: (pair) => pair.join(' '), maxLength: 5 });

    fc.assert(
      fc.property(index, ours, (charts, added) => {
        const text = `apiVersion: v1\n${toYaml({ entries: charts })}`;
        const before = entriesOf(text);
        const entries = added.filter(
          ([each, number]) => !(Object.hasOwn(before, each) && before[each]?.some((old) => old.version === number)),
        );
        const wanted = entries.map(([each, number]) => entry(each, number));

        const merged = mergeIndex(text, wanted, 'index.yaml');

        const after = new Map(Object.entries(entriesOf(merged)));
        for (const [each, versions] of Object.entries(before))
          for (const old of versions)
            assert.equal(
              after.get(each)?.find(({ version: number }) => number === old.version),
              old,
            );
        for (const each of wanted)
          assert.equal(
            after.get(each.name)?.find(({ version: number }) => number === each.version),
            { ...each },
          );
        assert.is(mergeIndex(text, wanted.toReversed(), 'index.yaml'), merged);
        assert.is(mergeIndex(merged, wanted, 'index.yaml'), merged);
      }),
      { seed: 20261122, numRuns: 100 },
    );
  });
});
