// docs/mesh.md and docs/mesh.schema.json are made from the schema, are up to date, and their examples load.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parseYaml } from '../../src/base/yaml.ts';
import { keysAt, meshJsonSchema } from '../../src/spec/json-schema.ts';
import { loadMesh } from '../../src/spec/load.ts';
import { fieldMarkers, fieldTable } from '../../src/spec/reference.ts';
import { matchCommitted } from '../helpers/files.ts';
import { assert, describe } from '../helpers/suite.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'mesh.md'), 'utf8');
const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '').filter((text) => text.includes('kind: Mesh'));

function withTable(text: string): string {
  const [before = '', rest = ''] = text.split(fieldMarkers.begin);
  const after = rest.split(fieldMarkers.end)[1] ?? '';
  return `${before}${fieldMarkers.begin}\n${fieldTable()}${fieldMarkers.end}${after}`;
}

describe('docs/mesh.md', ({ test }) => {
  test('holds the table of fields as the schema has them', () => {
    assert.is(page.split(fieldMarkers.begin).length, 2);

    matchCommitted('docs/mesh.md', withTable(page));
  });

  test('has examples that load', () => {
    assert.is(examples.length, 7);

    for (const example of examples) assert.is(loadMesh(example, 'mesh.yaml', '/').mesh.metadata.name, 'bookinfo');
  });

  test('gives every field a meaning, and a type, default or requirement that is right', () => {
    const rows = fieldTable().trimEnd().split('\n').slice(2);

    assert.is(rows.filter((row) => /\| +\|$/.test(row)).length, 0);
    assert.ok(rows.includes('| `clusters[].nodes[].name` | text | required | Node name |'));
    assert.ok(rows.includes('| `clusters[].podCIDRs` | list of CIDRs |  | Pod CIDRs; found in the cluster when absent |'));
    assert.ok(rows.some((row) => row.startsWith('| `clusters[].remotePilotAddress` | address or host name or list of addresses |  |')));
    assert.ok(rows.some((row) => row.startsWith('| `clusters[].loadBalancer.addresses` | map of addresses | `{}` |')));
    assert.ok(rows.some((row) => row.startsWith('| `routes.protocol` | 5 to 254 | `157` |')));
  });
});

describe('the JSON schema of mesh.yaml', ({ test }) => {
  const validate = new Ajv({ strict: true, strictTypes: false }).compile(meshJsonSchema());

  test('is what docs/mesh.schema.json holds', () => {
    matchCommitted('docs/mesh.schema.json', `${JSON.stringify(meshJsonSchema(), null, 2)}\n`);
  });

  test('accepts every example of the page', () => {
    for (const example of examples) assert.ok(validate(parseYaml(example, 'f').value), JSON.stringify(validate.errors));
  });

  const wrong: readonly (readonly [string, string])[] = [
    ['an unknown key', 'podCidrs: [10.0.0.0/16]'],
    ['another role', 'role: primry'],
    ['a number as name', 'name: 1'],
    ['an upper-case name', 'name: A'],
    ['a CIDR without a prefix length', 'podCIDRs: [10.0.0.0]'],
    ['a number as annotation', 'loadBalancer: {annotations: {a: 1}}'],
  ];
  for (const [what, field] of wrong) {
    test(`refuses ${what}`, () => {
      const cluster = { name: 'a', role: 'primary', ...(parseYaml(field, 'f').value as object) };
      const mesh = { apiVersion: 'isthmus/v1', kind: 'Mesh', metadata: { name: 'a' }, istio: { version: '1.30.3' }, clusters: [cluster] };

      assert.is(validate(mesh), false);
    });
  }

  test('refuses route protocol numbers of others', () => {
    const mesh = (protocol: number) => ({
      apiVersion: 'isthmus/v1',
      kind: 'Mesh',
      metadata: { name: 'a' },
      istio: { version: '1.30.3' },
      clusters: [{ name: 'a', role: 'primary' }],
      routes: { protocol },
    });

    assert.equal(
      [4, 12, 80, 157, 254, 255].map((protocol) => validate(mesh(protocol))),
      [false, false, false, true, true, false],
    );
  });

  test('knows the keys of every place', () => {
    const schema = meshJsonSchema();

    assert.equal(keysAt(schema, ['clusters', 3, 'nodes', 0]), ['name', 'address', 'podCIDRs', 'routes']);
    assert.equal(keysAt(schema, ['metadata']), ['name']);
    assert.equal(keysAt(schema, ['clusters', 0, 'loadBalancer', 'annotations']), []);
    assert.equal(keysAt(schema, ['nothing', 1]), []);
    assert.equal(keysAt(schema, ['constructor']), []);
  });
});
