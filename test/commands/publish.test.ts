// isthmus publish: what it asks of its command line before it reads or writes anything.
import type { IsthmusError } from '../../src/base/errors.ts';
import { runProgram } from '../../src/commands/program.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { fakeSystem } from '../helpers/system.ts';

describe('isthmus publish', ({ test }) => {
  const mistakes: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /publish needs --to/],
    [['--to', 'https://charts.corp'], /is neither oci:\/\/ nor a folder/],
    [['--to', 'oci://registry.corp/mesh', '--url', 'https://charts.corp'], /--url is for static repositories/],
    [['--to', './repo', '--plain-http'], /--plain-http is for registries/],
    [['--to', './repo', '--sign', 'cosign'], /cosign signs what is in a registry/],
    [['--to', './repo', '--sign-key', 'me'], /--sign-key needs --sign/],
    [['--to', './repo'], /holds no releases\.yaml/],
  ];
  for (const [args, reason] of mistakes) {
    test(`refuses ${args.join(' ') || 'nothing at all'}`, async () => {
      const system = fakeSystem();

      const error = (await thrownBy(() => runProgram(system, ['publish', ...args]))) as IsthmusError;

      assert.is(error.kind, 'usage');
      assert.match(error.message, reason);
      assert.equal([...system.written], []);
      assert.equal(system.commands, []);
    });
  }
});
