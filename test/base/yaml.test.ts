// What parseYaml refuses and where, and that what toYaml writes is read back the same under YAML 1.1 and 1.2.
import fc from 'fast-check';
import { parse } from 'yaml';
import { IsthmusError } from '../../src/base/errors.ts';
import { maxYamlBytes, parseYaml, parseYamlStream, toYaml, toYamlStream } from '../../src/base/yaml.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const valid: readonly (readonly [string, string, unknown])[] = [
  ['a byte order mark and CRLF', '\u{feff}a: 1\r\nb:\r\n  - x\r\n', { a: 1, b: ['x'] }],
  ['a missing final newline', 'a: 1', { a: 1 }],
  ['words that YAML 1.1 takes for booleans', 'a: [no, yes, on, off, y]', { a: ['no', 'yes', 'on', 'off', 'y'] }],
  ['times and dates as text', 'a: [12:30:45, 2024-01-01, 1_000]', { a: ['12:30:45', '2024-01-01', '1_000'] }],
  ['numbers of YAML 1.2', 'a: [0x1F, 0o17, 017, 1e3, 1.5]', { a: [31, 15, 17, 1000, 1.5] }],
  ['a %YAML 1.1 directive without its words', '%YAML 1.1\n---\na: yes\n', { a: 'yes' }],
  ['tags of the core schema', 'a: !!str 1\n', { a: '1' }],
  ['aliases', 'a: &x {b: 1}\nc: *x\n', { a: { b: 1 }, c: { b: 1 } }],
  ['an anchor that is set twice', 'a: &x 1\nb: &x 2\nc: *x\n', { a: 1, b: 2, c: 2 }],
  ['a quoted << as a plain key', '"<<": 1\n', { '<<': 1 }],
  ['names of object members as keys', 'constructor: 1\ntoString: 2\n', { constructor: 1, toString: 2 }],
  ['number keys as text', '1: a\n', { 1: 'a' }],
  ['tabs inside a value', 'a: "x\ty"\n', { a: 'x\ty' }],
];

function nested(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels);
}

function aliasBomb(): string {
  const lines = Array.from({ length: 30 }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}, *a${index}]`);
  return ['a0: &a0 [x]', ...lines].join('\n');
}

function staircase(levels: number, indicator: string): string {
  return Array.from({ length: levels }, (_, index) => `${' '.repeat(index)}${indicator}`).join('\n');
}

const refused: readonly (readonly [string, string, string])[] = [
  ['an empty file', '', 'f: the file is empty'],
  ['blank lines', '\n\n', 'f: the file is empty'],
  ['comments alone', '# nothing\n', 'f: the file is empty'],
  ['a document marker alone', '---\n', 'f: the file is empty'],
  ['several documents', 'a: 1\n---\nb: 2\n', 'f:2:1: holds several documents; one is expected'],
  ['a document after an end marker', 'a: 1\n...\nb: 2\n', 'f:3:1: holds several documents; one is expected'],
  ['a key that is there twice', 'a: 1\nb: 2\n"a": 3\n', 'f:3:1: the key a is there twice, first at f:1:1'],
  ['a key that is there twice in a flow map', '{a: 1, a: 2}', 'f:1:8: the key a is there twice, first at f:1:2'],
  ['the key __proto__', 'a:\n  __proto__: {x: 1}\n', 'f:2:3: the key __proto__ is not allowed'],
  ['a merge key', 'a: &a {x: 1}\nb:\n  <<: *a\n', 'f:3:3: merge keys (<<) are not supported; write the values out'],
  ['a merge key under %YAML 1.1', '%YAML 1.1\n---\n<<: {x: 1}\n', 'f:3:1: merge keys (<<) are not supported; write the values out'],
  ['a custom tag', 'a: !foo 1\n', 'f:1:9: the tag !foo is not allowed'],
  ['a tag of a programming language', 'a: !!js/function x\n', 'f:1:18: the tag !!js/function is not allowed'],
  ['binary data', 'a: !!binary aGk=\n', 'f:1:13: the tag !!binary is not allowed'],
  ['a set', 'a: !!set {x}\n', 'f:1:10: the tag !!set is not allowed'],
  ['a list as key', '? [a]\n: 1\n', 'f:1:3: a key must be plain text, not a list or a map'],
  ['an alias as key', '&a a: 1\n*a : 2\n', 'f:2:1: a key must be plain text, not a list or a map'],
  ['tabs as indentation', 'a:\n\tb: 1\n', 'f:2:1: Tabs are not allowed as indentation'],
  ['two colons on a line', 'a: b: c\n', 'f:1:4: a second ": " on one line; put the value in quotes'],
  ['a reserved character', 'a: @x\n', 'f:1:4: a value starts with a character that YAML reserves; put it in quotes'],
  ['an open quote', 'a: "b\n', 'f:2:1: Missing closing "quote'],
  ['NUL bytes', 'a: 1\nb: x\0y\n', 'f:2:5: holds NUL bytes; is it UTF-16 or a binary file?\n  Save it as UTF-8 text.'],
  [
    'UTF-16 read as UTF-8',
    Buffer.from('\u{feff}a: 1\n', 'utf16le').toString('utf8'),
    'f:1:1: holds bytes that are not UTF-8\n  Save it as UTF-8 text.',
  ],
  ['latin-1 bytes', Buffer.from('a: \xe9\n', 'latin1').toString('utf8'), 'f:1:4: holds bytes that are not UTF-8\n  Save it as UTF-8 text.'],
  ['a control character', 'a: \x1b[0m\n', 'f:1:4: holds the control character \\u{1b}\n  Save it as UTF-8 text.'],
  ['an unknown alias', 'a: *x\n', 'f:1:4: no anchor &x ends before this alias'],
  ['an alias inside its own anchor', 'a: &x [*x]\n', 'f:1:8: no anchor &x ends before this alias'],
  ['an alias bomb', aliasBomb(), 'f:9:10: aliases add more than 10000 values'],
  ['65 levels of brackets', nested(65), 'f:1:66: is nested more than 64 levels deep'],
  ['100,000 open brackets', '['.repeat(100_000), 'f:1:66: is nested more than 64 levels deep'],
  ['100,000 open braces', '{a: '.repeat(100_000), 'f:1:258: is nested more than 64 levels deep'],
  ['10,000 dashes on a line', '- '.repeat(10_000), 'f:1:130: is nested more than 64 levels deep'],
  ['10,000 question marks on a line', '? '.repeat(10_000), 'f:1:130: is nested more than 64 levels deep'],
  ['1,500 levels of maps', staircase(1500, 'a:'), 'f:66:66: is nested more than 64 levels deep'],
  ['1,500 levels of lists', staircase(1500, '-'), 'f:66:66: is nested more than 64 levels deep'],
  [
    'levels that aliases add',
    ['a0: &a0 [x]', ...Array.from({ length: 70 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}]`)].join('\n'),
    'f:64:12: is nested more than 64 levels deep',
  ],
  ['more than 4 MiB', 'x'.repeat(maxYamlBytes + 1), 'f: is larger than 4 MiB'],
];

function textOf(error: unknown): string {
  if (!(error instanceof IsthmusError)) throw error;
  assert.is(error.kind, 'usage');
  return `${error.where}: ${error.message}${error.hint === undefined ? '' : `\n  ${error.hint}`}`;
}

describe('parseYaml', ({ test }) => {
  for (const [what, text, value] of valid) {
    test(`reads ${what}`, () => {
      assert.equal(parseYaml(text, 'f').value, value);
    });
  }

  for (const [what, text, message] of refused) {
    test(`refuses ${what}`, async () => {
      const error = await thrownBy(() => parseYaml(text, 'f'));

      assert.is(textOf(error), message);
    });
  }

  test('accepts 64 levels', () => {
    assert.is(JSON.stringify(parseYaml(nested(64), 'f').value), nested(64));
  });

  test('never puts anything into a prototype', () => {
    const { value } = parseYaml('constructor: {prototype: {polluted: 1}}\n', 'f');

    assert.equal(Object.keys(value as object), ['constructor']);
    assert.is(({} as Record<string, unknown>)['polluted'], undefined);
  });

  test('tells where values and keys stand and how they are written', () => {
    const source = parseYaml('# first\na:\n  - b: 0x1F\n    c: {d: 1}\ne: &x 1\nf: *x\n', 'mesh.yaml');

    assert.is(source.locate([]), 'mesh.yaml:2:1');
    assert.is(source.locate(['a', 0, 'b']), 'mesh.yaml:3:8');
    assert.is(source.locate(['a', 0, 'c', 'missing', 'deeper']), 'mesh.yaml:4:8');
    assert.is(source.locate(['a', 7]), 'mesh.yaml:3:3');
    assert.is(source.locate(['nothing']), 'mesh.yaml:2:1');
    assert.is(source.locate(['f']), 'mesh.yaml:6:4');
    assert.is(source.locateKey(['a', 0, 'c']), 'mesh.yaml:4:5');
    assert.is(source.locateKey(['e']), 'mesh.yaml:5:1');
    assert.is(source.locateKey(['a', 0, 'nothing']), 'mesh.yaml:3:5');
    assert.is(source.written(['a', 0, 'b']), '0x1F');
    assert.is(source.written(['a']), undefined);
  });

  test('counts columns after a byte order mark and lines after CRLF as an editor does', () => {
    const source = parseYaml('\u{feff}a: 1\r\nb: 2\r\n', 'f');

    assert.is(source.locate(['a']), 'f:1:4');
    assert.is(source.locate(['b']), 'f:2:4');
  });

  test('throws nothing but IsthmusError for any text', () => {
    const pieces = fc.constantFrom(
      ...'[]{}:,-?&*!|>\'"%@`#\t\n \r~<=.0a\0\u{feff}\u{fffd}é',
      '- ',
      ': ',
      '? ',
      '\n  ',
      '<<: ',
      '&a ',
      '*a',
      '!!str ',
      '---\n',
    );

    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(pieces, { maxLength: 40 }).map((list) => list.join('')),
        ),
        (text) => {
          try {
            parseYaml(text, 'f');
          } catch (error) {
            assert.instance(error, IsthmusError);
          }
        },
      ),
      { seed: 7, numRuns: 3000 },
    );
  });
});

describe('parseYamlStream', ({ test }) => {
  test('reads every document and leaves out empty ones', () => {
    assert.equal(parseYamlStream('---\n# Source: x\na: 1\n---\n---\nb: 2\n', 'f'), [{ a: 1 }, { b: 2 }]);
    assert.equal(parseYamlStream('', 'f'), []);
  });

  test('says where a document is wrong', async () => {
    const error = await thrownBy(() => parseYamlStream('a: 1\n---\nb: 1\nb: 2\n', 'f'));

    assert.is(textOf(error), 'f:4:1: the key b is there twice, first at f:3:1');
  });
});

/** Strings that some reader of YAML takes for something else, or that break a careless writer. */
const nasty = [
  ...['', ' ', 'no', 'yes', 'on', 'off', 'y', 'N', 'true', 'False', 'null', 'NULL', '~', 'nan', '.nan', '.inf', '-.INF', 'inf', '<<', '='],
  ...[
    '1',
    '-1',
    '+1',
    '1.5',
    '.5',
    '1.',
    '1e3',
    '1E+3',
    '1e400',
    '0x1F',
    '0o17',
    '0b11',
    '017',
    '1_000',
    '1,000',
    '12:30:45',
    '190:20:30.15',
  ],
  ...[
    '2024-01-01',
    '2024-01-01T10:00:00Z',
    '2024-01-01 10:00:00',
    '0.1.2',
    '1.30.3',
    '10.1.0.0/16',
    '10.0.0.1',
    '2001:db8::1',
    'fd00::',
    '::1',
  ],
  ...[
    'a: b',
    'a:b',
    'a:',
    ':a',
    'a #b',
    '#a',
    'a#b',
    '- a',
    '-',
    '--x',
    '---',
    '... x',
    '...',
    '?',
    '? a',
    '!a',
    '!!str a',
    '&a',
    '*a',
    '%a',
    '@a',
    '`a`',
  ],
  ...[
    '{a}',
    '[a]',
    'a,b',
    '{{ .Values.x }}',
    "it's",
    "'a'",
    '"a"',
    'a\\b',
    '|',
    '>',
    '|-',
    '> a',
    'a ',
    ' a',
    '\ta',
    'a\t',
    'a\nb',
    'a\nb\n',
    'a\n\n\nb\n\n',
  ],
  ...[
    '\n',
    '\n\n',
    '\na',
    ' a\nb',
    'a\n b',
    'a\n \nb',
    'a\n  ',
    'a\r\nb',
    'a\rb',
    '# a\nb',
    '---\na',
    'a\n---\nb',
    'a\u{85}b',
    'a\u{2028}b',
    'a\u{2029}b\nc',
  ],
  ...[
    '\u{feff}a',
    'é',
    '\u{1f600}',
    'a\0b',
    '\x07',
    '\x7f',
    '\u{ffff}',
    'a\u{a0}b',
    '__proto__',
    'constructor',
    '10%',
    '5m',
    '1Mi',
    './x',
    '../x/y',
    '.../x',
    '/a/b',
    '\u{430}bc',
  ],
  'x'.repeat(3000),
  '"'.repeat(2000),
];

const text = fc.oneof(
  fc.constantFrom(...nasty),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom(...' \n\t:#-ab1.e_0x') }),
);
const scalar = fc.oneof(
  text,
  fc.boolean(),
  fc.constant(null),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
);
const key = text.filter((name) => name !== '__proto__');
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
  ),
}));

/** dequal compares prototypes, which fast-check's dictionaries lack. */
function canonical(value: unknown): string {
  return JSON.stringify(value);
}

describe('toYaml', ({ test }) => {
  test('writes block style that people read', () => {
    const written = toYaml({
      a: [],
      b: {},
      c: [[1, [2]], { d: 1, e: { f: 'x\ny\n' } }],
      n: null,
      u: undefined,
      g: ['10.1.0.0/16', 'no', 'a: b'],
    });

    assert.is(
      written,
      'a: []\nb: {}\nc:\n  - - 1\n    - - 2\n  - d: 1\n    e:\n      f: |\n        x\n        y\n"n": null\ng:\n  - 10.1.0.0/16\n  - "no"\n  - "a: b"\n',
    );
  });

  test('keeps addresses, versions, images and paths bare', () => {
    const bare = [
      '10.0.0.1',
      '10.1.0.0/16',
      'fd00::1',
      '2001:db8::/32',
      '1.30.3',
      'docker.io/istio/proxyv2:1.30.3',
      'kube-system',
      '10%',
      '5m',
      'topology.istio.io/network',
    ];

    assert.is(toYaml(bare), bare.map((item) => `- ${item}\n`).join(''));
  });

  for (const version of ['1.1', '1.2'] as const) {
    test(`is read back the same by YAML ${version}`, () => {
      fc.assert(
        fc.property(tree, (value) => {
          assert.is(canonical(parse(toYaml(value), { version })), canonical(value));
        }),
        { seed: 11, numRuns: 2000 },
      );
    });

    test(`keeps every nasty string as value, item and key under YAML ${version}`, () => {
      for (const item of nasty) {
        const value = { list: [item, [item]], [`k${item}`]: item, ...(item === '__proto__' ? {} : { map: { [item]: item } }) };

        assert.is(canonical(parse(toYaml(value), { version })), canonical(value));
      }
    });
  }

  test('is read back the same by parseYaml', () => {
    fc.assert(
      fc.property(fc.array(tree, { minLength: 1 }), (value) => {
        assert.is(canonical(parseYaml(toYaml(value), 'f').value), canonical(value));
      }),
      { seed: 13, numRuns: 1000 },
    );
  });

  test('writes numbers that YAML 1.1 knows as numbers', () => {
    assert.is(toYaml([1e21, -1e-7, 1.5e300, -0]), '- 1.0e+21\n- -1.0e-7\n- 1.5e+300\n- 0\n');
    assert.is(toYaml([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]), '- .nan\n- .inf\n- -.inf\n');
  });

  test('refuses what JSON cannot say', async () => {
    assert.instance(await thrownBy(() => toYaml({ a: () => 1 })), TypeError);
  });

  test('separates the documents of a stream', () => {
    assert.is(toYamlStream([{ a: 1 }, ['b']]), 'a: 1\n---\n- b\n');
    assert.equal(parseYamlStream(toYamlStream([{ a: 1 }, ['b']]), 'f'), [{ a: 1 }, ['b']]);
  });
});
