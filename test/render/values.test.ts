// values.yaml, values.schema.json and the table of values, made from one zod schema.
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import * as z from 'zod';
import { parseYaml } from '../../src/base/yaml.ts';
import { IstioRemoteValues } from '../../src/plan/values/istio-remote.ts';
import { IstioRemoteClassicValues } from '../../src/plan/values/istio-remote-classic.ts';
import { maxJobNodes, RouteInstallerValues } from '../../src/plan/values/route-installer.ts';
import { valuesJsonSchema, valuesTable, valuesYaml } from '../../src/render/values.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const Fruit = z
  .strictObject({
    global: z.looseObject({}).optional().describe('of helm'),
    name: z.string().describe('What it is called'),
    size: z.int().min(1).default(3).describe('How big'),
    note: z.string().optional().describe('Anything else'),
    peel: z
      .strictObject({ colour: z.enum(['green', 'red']).default('green').describe('Colour | shade'), thick: z.boolean().describe('Is it') })
      .readonly()
      .prefault({ thick: false })
      .describe('Its peel'),
    labels: z.record(z.string(), z.string()).default({}).describe('Labels'),
    seeds: z
      .array(z.strictObject({ id: z.int(), from: z.string() }))
      .default([])
      .describe('Seeds'),
  })
  .readonly();

const read = (text: string) => parseYaml(text, 'values.yaml').value as Record<string, unknown>;

describe('valuesYaml', ({ test }) => {
  test('writes every key below its description, in the order of the schema, and what has no value as a comment', () => {
    const text = valuesYaml(Fruit, {});

    assert.is(
      text,
      [
        '# -- Required. What it is called',
        '# name:',
        '# -- How big',
        'size: 3',
        '# -- Anything else',
        '# note:',
        '# -- Its peel',
        'peel:',
        '  # -- Colour | shade',
        '  colour: green',
        '  # -- Is it',
        '  thick: false',
        '# -- Labels',
        'labels: {}',
        '# -- Seeds',
        'seeds: []',
        '',
      ].join('\n'),
    );
  });

  test('puts given values over defaults, however deep', () => {
    const given = { seeds: [], peel: { colour: 'red' }, name: 'apple', labels: { a: 'b' }, size: 4 };

    const values = read(valuesYaml(Fruit, given));

    assert.equal(values, { name: 'apple', size: 4, peel: { colour: 'red', thick: false }, labels: { a: 'b' }, seeds: [] });
    assert.equal(Object.keys(values), ['name', 'size', 'peel', 'labels', 'seeds']);
  });

  test('writes lists of small objects one on a line', () => {
    const seeds = [
      { id: 1, from: '10.1.0.0/26' },
      { id: 2, from: 'no' },
      { id: 3, from: 'a, b: {c}' },
      { id: 4, from: 'fd00::' },
    ];

    const text = valuesYaml(Fruit, { name: 'apple', seeds });

    assert.match(text, /\nseeds:\n {2}- \{id: 1, from: 10\.1\.0\.0\/26\}\n {2}- \{id: 2, from: "no"\}\n/);
    assert.equal(read(text)['seeds'], seeds);
  });

  test('comments out a whole object when nothing in it has a value', () => {
    const text = valuesYaml(IstioRemoteClassicValues, { clusterName: 'c' });

    assert.match(text, /\n# endpoints:\n# {3}# -- Required\. Addresses of istio-pilot.*\n# {3}# pilot:\n/);
    assert.not.ok('endpoints' in read(text));
  });

  test('says nothing of global unless it is given', () => {
    assert.not.match(valuesYaml(Fruit, { name: 'a' }), 'global');
    assert.equal(read(valuesYaml(Fruit, { name: 'a', global: { x: 1 } }))['global'], { x: 1 });
  });

  test('keeps any text a string of the same characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (name, from) => {
        const seeds = [{ id: 1, from }];

        const values = read(valuesYaml(Fruit, { name, seeds, labels: { key: from } }));

        assert.is(values['name'], name);
        assert.equal(values['seeds'], seeds);
        assert.equal(values['labels'], { key: from });
      }),
      { seed: 20180601, numRuns: 300 },
    );
  });

  test('gives back the values of a chart, so that a generated values.yaml means the plan', () => {
    const planned = RouteInstallerValues.parse({
      clusterName: '1e3',
      routes: [
        { dst: '10.1.158.192/26', via: '9.111.255.129' },
        { dst: 'fd00:1::/64', via: 'fd00::1', mtu: 1400 },
      ],
      guard: { remotePodCIDRs: ['10.1.0.0/16', 'fd00:1::/48'] },
      nodes: ['no', '9.111.255.77'],
      keeper: { resources: { limits: { memory: '1e3' } } },
      ipPools: [{ name: 'isthmus-10-1-0-0-16', cidr: '10.1.0.0/16' }],
    });

    const values = read(valuesYaml(RouteInstallerValues, planned));

    assert.equal(RouteInstallerValues.parse(values), planned);
  });

  test('writes thousands of routes in linear time', () => {
    const routes = Array.from({ length: 20_000 }, (_, index) => ({ dst: `10.${index >> 8}.${index & 255}.0/26`, via: '9.111.255.129' }));
    const started = performance.now();

    const text = valuesYaml(RouteInstallerValues, { clusterName: 'c', routes });

    assert.is(text.match(/\n {2}- \{dst: /g)?.length, routes.length);
    assert.ok(performance.now() - started < 3000, `took ${Math.round(performance.now() - started)} ms`);
  });
});

describe('valuesJsonSchema', ({ test }) => {
  const schemas = { IstioRemoteValues, IstioRemoteClassicValues, RouteInstallerValues, Fruit };

  for (const [name, schema] of Object.entries(schemas)) {
    test(`is draft-07, closed, and knows no pattern that helm cannot compile: ${name}`, () => {
      const text = valuesJsonSchema(schema);

      const parsed = JSON.parse(text) as Record<string, unknown>;
      assert.is(parsed['$schema'], 'http://json-schema.org/draft-07/schema#');
      assert.is(parsed['additionalProperties'], false);
      assert.not.match(text, '"hostname"');
      assert.not.match(text, '"readOnly"');
      assert.not.match(text, String(Number.MAX_SAFE_INTEGER));
      assert.ok(addFormats.default(new Ajv({ strict: false, formats: { cidrv4: true, cidrv6: true } })).compile(parsed));
    });
  }

  test('refuses a lookaround, which RE2 does not have', async () => {
    const schema = z.strictObject({ key: z.string().regex(/^(?!x)/) });

    const error = await thrownBy(() => valuesJsonSchema(schema));

    assert.instance(error, RangeError);
    assert.match((error as Error).message, '(?!x)');
  });

  test('takes and refuses what the zod schema takes and refuses', () => {
    const check = new Ajv({ strict: false }).compile(JSON.parse(valuesJsonSchema(Fruit)) as object);
    const candidates: readonly unknown[] = [
      { name: 'a' },
      {},
      { name: 'a', size: 0 },
      { name: 'a', size: 1.5 },
      { name: 'a', extra: 1 },
      { name: 'a', peel: { colour: 'blue', thick: true } },
      { name: 'a', peel: { colour: 'red', thick: true } },
      { name: 'a', seeds: [{ id: 1, from: 'b', extra: 1 }] },
      { name: 'a', global: { anything: [1] } },
    ];

    const verdicts = candidates.map((candidate) => check(candidate));

    assert.equal(
      verdicts,
      candidates.map((candidate) => Fruit.safeParse(candidate).success),
    );
    assert.equal(verdicts, [true, false, false, false, false, false, true, false, true]);
  });
});

describe('valuesTable', ({ test }) => {
  test('has a row for every leaf, with its type, default and description', () => {
    const table = valuesTable(Fruit);

    assert.is(
      table,
      [
        '| Key | Type | Default | Description |',
        '|---|---|---|---|',
        '| `name` | string | required | What it is called |',
        '| `size` | integer | `3` | How big |',
        '| `note` | string |  | Anything else |',
        '| `peel.colour` | `"green"` or `"red"` | `"green"` | Colour \\| shade |',
        '| `peel.thick` | boolean | `false` | Is it |',
        '| `labels` | object | `{}` | Labels |',
        '| `seeds` | list of `{id, from}` | `[]` | Seeds |',
      ].join('\n'),
    );
  });

  test('names addresses and CIDRs as people do', () => {
    assert.match(valuesTable(IstioRemoteValues), '| `remotePilotAddresses` | list of IPv4 or IPv6 | `[]` |');
    assert.match(valuesTable(RouteInstallerValues), '| `guard.remotePodCIDRs` | list of IPv4 CIDR or IPv6 CIDR | `[]` |');
  });

  test('leaves no value of a chart without a description', () => {
    for (const schema of [IstioRemoteValues, IstioRemoteClassicValues, RouteInstallerValues]) {
      const silent = valuesTable(schema)
        .split('\n')
        .filter((row) => /\|\s*\|$/.test(row));

      assert.equal(silent, []);
    }
    assert.match(valuesTable(RouteInstallerValues), String(maxJobNodes));
  });
});
