// docs/cli.md is what the table of commands says.
import { cliReference } from '../../src/commands/reference.ts';
import { matchCommitted } from '../helpers/files.ts';
import { describe } from '../helpers/suite.ts';

describe('docs/cli.md', ({ test }) => {
  test('is made from the table of commands', () => {
    matchCommitted('docs/cli.md', cliReference());
  });
});
