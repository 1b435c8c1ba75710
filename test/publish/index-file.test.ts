// Merging into an index.yaml that others write, too: nothing of theirs is lost, and nothing hostile gets through.
import fc from 'fast-check';
import { IsthmusError } from '../../src/base/errors.ts';
import { parseYaml, toYaml } from '../../src/base/yaml.ts';
import { type IndexEntry, mergeIndex } from '../../src/publish/index-file.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const digests = ['a', 'b', 'c'].map((letter) => letter.repeat(64));

function entry(name: string, version: string, digest = digests[0] ?? ''): IndexEntry {
  return { name, version, digest, apiVersion: 'v2', created: '1980-01-01T00:00:00Z', urls: [`https://charts.corp/${name}-${version}.tgz`] };
}

interface Versions {
  readonly [name: string]: readonly { readonly version: string; readonly [field: string]: unknown }[];
}

function entriesOf(text: string): Versions {
  return (parseYaml(text, 'index.yaml').value as { entries: Versions }).entries;
}

/** What `helm repo index` of helm 3 writes, shortened. */
const helms = `apiVersion: v1
entries:
  nginx:
  - apiVersion: v2
    appVersion: 1.16.0
    created: "2026-01-02T03:04:05.678901234Z"
    description: A chart of others
    digest: ${'d'.repeat(64)}
    name: nginx
    urls:
    - https://charts.corp/nginx-0.2.0.tgz
    version: 0.2.0
  - version: 0.1.0 # kept for old clusters
    appVersion: 0x10
    deprecated: yes
    revision: 123456789012345678901234567890
    description: |
      # no comment
      - no item

      last line
    name: nginx
generated: "2026-01-02T03:04:05.678901234Z"
`;

async function refusal(text: string | undefined, entries: readonly IndexEntry[] = []): Promise<IsthmusError> {
  const error = await thrownBy(() => mergeIndex(text, entries, '/repo/index.yaml'));
  assert.ok(error instanceof IsthmusError, String(error));
  return error;
}

describe('mergeIndex', ({ test }) => {
  test('makes an index where there is none', () => {
    const text = mergeIndex(undefined, [entry('b', '1.0.0'), entry('a', '1.0.0')], 'index.yaml');

    assert.match(text, /^apiVersion: v1\nentries:\n {2}a:\n {2}- name: a\n {4}version: 1\.0\.0\n/);
    assert.match(text, /\ngenerated: "1980-01-01T00:00:00Z"\n$/);
    assert.equal(Object.keys(entriesOf(text)), ['a', 'b']);
  });

  test('keeps every byte of entries that are not ours', () => {
    const lines = helms.split('\n');

    const text = mergeIndex(helms, [entry('apple', '1.0.0'), entry('zebra', '1.0.0')], 'index.yaml');

    const [apple, zebra] = ['apple', 'zebra'].map((name) => text.slice(text.indexOf(`  ${name}:`)).split(/\n {2}(?=[a-z]+:)|\ngen/)[0]);
    assert.is(text.replace(`${apple}\n`, '').replace(`${zebra}\n`, ''), lines.join('\n'));
  });

  test('puts versions of a chart that others publish, too, among theirs, new before old', () => {
    const text = mergeIndex(helms, [entry('nginx', '0.1.5'), entry('nginx', '0.10.0'), entry('nginx', '0.10.0-rc.1')], 'index.yaml');

    assert.equal(
      entriesOf(text)['nginx']?.map(({ version }) => version),
      ['0.10.0', '0.10.0-rc.1', '0.2.0', '0.1.5', '0.1.0'],
    );
    for (const line of helms.split('\n')) assert.ok(text.split('\n').includes(line), line);
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

    const [other, unknown] = [await refusal(before, [entry('a', '1.0.0', digests[1])]), await refusal(helms, [entry('nginx', '0.1.0')])];

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
    const damage = fc.record({ at: fc.nat(helms.length), cut: fc.nat(20), put: fc.array(fc.constantFrom(...pieces), { maxLength: 3 }) });

    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) => {
        const text = damages.reduce((each, { at, cut, put }) => each.slice(0, at) + put.join('') + each.slice(at + cut), helms);
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
