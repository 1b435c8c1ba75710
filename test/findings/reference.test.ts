// docs/findings.md is made from the table, and is up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allFindingKinds } from '../../src/findings/index.ts';
import { findingsReference } from '../../src/findings/reference.ts';
import { assert, describe } from '../helpers/suite.ts';

const file = join(import.meta.dirname, '..', '..', 'docs', 'findings.md');

describe('the reference of findings', ({ test }) => {
  test('is what docs/findings.md holds', () => {
    const text = findingsReference();
    if (process.env['ISTHMUS_UPDATE'] === '1') writeFileSync(file, text);

    const written = readFileSync(file, 'utf8');

    assert.is(written, text);
  });

  test('has one section and one row for every code', () => {
    const text = findingsReference();

    for (const { code } of allFindingKinds) {
      assert.is(text.split(`\n## ${code}\n`).length, 2, code);
      assert.is(text.split(`\n| [${code}](#${code.toLowerCase()}) |`).length, 2, code);
    }
  });
});
