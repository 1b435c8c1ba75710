// The facts file: what is written is read again, any edit is seen, and anything else is refused with words.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { IsthmusError } from '../../src/base/errors.ts';
import { parseYaml } from '../../src/base/yaml.ts';
import { formatFacts, parseFacts } from '../../src/facts/file.ts';
import type { ClusterFacts } from '../../src/facts/schema.ts';
import { inspectObjects, loadFixture } from '../helpers/reader.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const facts = await inspectObjects(loadFixture('calico-primary'));
const text = formatFacts(facts);

/** A copy with the keys of every object in reverse order. */
function reversed<T>(value: T): T {
  if (Array.isArray(value)) return value.map(reversed) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, field]) => [key, reversed(field)]),
  ) as T;
}

/** The text with its checksum made anew, as someone would who wants an edit to pass. */
function resigned(body: string): string {
  return `# sha256: ${createHash('sha256').update(body).digest('hex')}\n${body}`;
}

async function refusal(edited: string): Promise<string> {
  const error = await thrownBy(() => parseFacts(edited, 'facts/c1.yaml'));
  assert.instance(error, IsthmusError);
  const { kind, where, message, hint } = error as IsthmusError;
  assert.equal([kind, where], ['usage', 'facts/c1.yaml']);
  assert.ok((hint ?? '').length > 0);
  return message;
}

describe('facts file', ({ test }) => {
  for (const name of ['icp-cluster1', 'calico-primary', 'cilium', 'k3s', 'eks', 'gke', 'kindnet']) {
    test(`of ${name} is read as it was written`, async () => {
      const found = await inspectObjects(loadFixture(name));

      assert.equal(parseFacts(formatFacts(found), 'f'), found);
    });
  }

  test('is YAML', () => {
    assert.equal(parseYaml(text, 'f').value, facts);
  });

  test('does not depend on the order of keys', () => {
    assert.is(formatFacts(reversed(facts)), text);
  });

  test('holds each node on a line of its own', () => {
    assert.is(text.split('\n').filter((line) => /^- \{"name": "(cp|worker)-/.test(line)).length, 3);
  });

  test('is ASCII whatever the cluster says, and reads the same', () => {
    const odd = { ...facts, platform: { value: 'caf\u00e9 \u2028 \ud83d\ude00 \u0085 "\\', source: 'tab\tnewline\n' } };

    const written = formatFacts(odd);

    assert.match(written, /^[\x20-\x7e\n]*$/);
    assert.equal(parseFacts(written, 'f'), odd);
    assert.equal(parseYaml(written, 'f').value, odd);
  });

  test('is read with a byte order mark and CRLF', () => {
    assert.equal(parseFacts(`\u{feff}${text.replaceAll('\n', '\r\n')}`, 'f'), facts);
  });

  test('of thousands of nodes is read quickly', () => {
    const many = Array.from({ length: 5000 }, (_, index) => ({ ...facts.nodes[0], name: `n${index}` }) as ClusterFacts['nodes'][number]);
    const large = formatFacts({ ...facts, nodes: many });
    const start = performance.now();

    assert.is(parseFacts(large, 'f').nodes.length, 5000);

    assert.ok(performance.now() - start < 3000, 'took longer than 3 s');
  });
});

describe('facts file that is refused', ({ test }) => {
  test('was edited, anywhere', async () => {
    assert.is(await refusal(text.replace('10.10.0.12', '10.10.0.99')), 'was edited after isthmus wrote it');
    assert.is(await refusal(`${text}# more\n`), 'was edited after isthmus wrote it');

    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: text.indexOf('# sha256'), max: text.length - 1 }),
        fc.constantFrom('x', '7', ' '),
        async (at, character) => {
          if (text[at] === character) return;
          await refusal(`${text.slice(0, at)}${character}${text.slice(at + 1)}`);
        },
      ),
      { seed: 2, numRuns: 200 },
    );
  });

  test('is of another version, which is said before the checksum', async () => {
    assert.is(await refusal(text.replace('isthmus/v1', 'isthmus/v2')), 'has version "isthmus/v2"; this isthmus reads isthmus/v1');
  });

  test('has no checksum', async () => {
    assert.is(await refusal(text.replace(/# sha256: .*\n/, '')), 'has no line with its checksum');
    assert.is(await refusal(text.replace(/# sha256: .*\n/, '# sha256: abc\n')), 'has no line with its checksum');
  });

  const others = ['', '\n', '{}', 'apiVersion: v1\nkind: Mesh\n', 'kind: Config', '\u0000', '<html></html>', '# sha256: '];
  for (const other of others) {
    test(`is ${JSON.stringify(other)}`, async () => {
      assert.is(await refusal(other), 'is not a facts file');
    });
  }

  test('was signed anew with a field that facts do not have', async () => {
    const body = text.slice(text.indexOf('apiVersion'));

    assert.match(await refusal(resigned(body.replace('origin: "api"', 'origin: "guess"'))), 'does not hold facts: origin');
    assert.match(await refusal(resigned(`${body}extra: 1\n`)), 'does not hold facts');
    assert.is(await refusal(resigned(body.replace('pools:', 'pools: ['))), 'is not a facts file');
    assert.is(await refusal(resigned(`${body}not a field\n`)), 'is not a facts file');
    assert.match(await refusal(resigned(body.replace('origin: "api"', '__proto__: {"origin": "api"}'))), 'is not a facts file');
  });

  test('is anything else, with an error for people', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (garbage) => {
        await refusal(resigned(`apiVersion: "isthmus/v1"\nkind: "ClusterFacts"\n${garbage}`));
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});
