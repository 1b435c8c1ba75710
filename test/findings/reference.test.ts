// docs/findings.md is made from the table, and is up to date.
import { allFindingKinds } from '../../src/findings/index.ts';
import { findingsReference } from '../../src/findings/reference.ts';
import { matchCommitted } from '../helpers/files.ts';
import { assert, describe } from '../helpers/suite.ts';

describe('the reference of findings', ({ test }) => {
  test('is what docs/findings.md holds', () => {
    matchCommitted('docs/findings.md', findingsReference());
  });

  test('has one section and one row for every code', () => {
    const text = findingsReference();

    for (const { code } of allFindingKinds) {
      assert.is(text.split(`\n## ${code}\n`).length, 2, code);
      assert.is(text.split(`\n| [${code}](#${code.toLowerCase()}) |`).length, 2, code);
    }
  });
});
