// Errors for people: their text and their exit codes.
import { exitCodeOf, failure, formatError, IsthmusError, messageOf, usageError } from '../../src/base/errors.ts';
import { assert, describe } from '../helpers/suite.ts';

describe('errors', ({ test }) => {
  test('say where, what, and what to do', () => {
    const error = usageError('is not a list', { where: 'mesh.yaml:6:11', hint: 'Write one:\n- a' });

    assert.is(formatError(error), 'Error: mesh.yaml:6:11: is not a list\n  Write one:\n  - a\n');
    assert.is(formatError(failure('helm failed')), 'Error: helm failed\n');
  });

  test('end the program with a code of their kind', () => {
    assert.is(exitCodeOf(usageError('x')), 2);
    assert.is(exitCodeOf(failure('x')), 1);
    assert.is(exitCodeOf(new IsthmusError('findings', 'x')), 3);
    assert.is(exitCodeOf(new TypeError('ours')), 1);
    assert.is(exitCodeOf('thrown text'), 1);
  });

  test('carry their cause without showing it', () => {
    const error = failure('cannot read', { cause: new Error('token abc') });

    assert.is((error.cause as Error).message, 'token abc');
    assert.is(formatError(error), 'Error: cannot read\n');
  });

  test('give their message on one line', () => {
    assert.is(messageOf(new Error(' a\n   b\n')), 'a b');
    assert.is(messageOf('text'), 'text');
    assert.is(messageOf(undefined), 'undefined');
  });
});
