// The table of findings: complete, used, and written for people.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allFindingKinds, findingKind, isFindingCode, makeFinding } from '../../src/findings/index.ts';
import { assert, describe } from '../helpers/suite.ts';

const source = join(import.meta.dirname, '..', '..', 'src');

/** Codes written in the sources outside of the table itself. */
function codesInUse(): Set<string> {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.startsWith('findings/'),
  );
  return new Set(
    files.flatMap((path) => readFileSync(join(source, path), 'utf8').match(/['"]ISM[0-9]{3}['"]/g) ?? []).map((text) => text.slice(1, -1)),
  );
}

describe('the table of findings', ({ test }) => {
  test('has every code once, in order', () => {
    const codes = allFindingKinds.map((kind) => kind.code);

    assert.equal(codes, [...new Set(codes)].sort());
    assert.ok(codes.every((code) => /^ISM[0-9]{3}$/.test(code)));
  });

  test('has every code that the sources use', () => {
    const unknown = [...codesInUse()].filter((code) => findingKind(code) === undefined);

    assert.equal(unknown, []);
  });

  test('has no code that the sources do not use', () => {
    const used = codesInUse();

    const unused = allFindingKinds.map((kind) => kind.code).filter((code) => !used.has(code));

    assert.equal(unused, []);
  });

  test('explains in whole sentences, with a title that is none', () => {
    const wrong = allFindingKinds.filter(
      (kind) => !/[.!]$/.test(kind.why) || !/[.!]$/.test(kind.mend) || kind.title.endsWith('.') || kind.title.length > 90,
    );

    assert.equal(
      wrong.map((kind) => kind.code),
      [],
    );
  });

  test('knows a code from other text', () => {
    assert.ok(isFindingCode('ISM010'));
    assert.not.ok(isFindingCode('ISM999'));
    assert.not.ok(isFindingCode('__proto__'));
  });

  test('gives a finding the severity of its code, unless told otherwise', () => {
    const usual = makeFinding({ code: 'ISM062', cluster: 'cluster2', message: 'x' });
    const lowered = makeFinding({ code: 'ISM062', severity: 'warning', message: 'x' });

    assert.equal(usual, { code: 'ISM062', severity: 'error', cluster: 'cluster2', message: 'x' });
    assert.equal(lowered, { code: 'ISM062', severity: 'warning', message: 'x' });
  });
});
