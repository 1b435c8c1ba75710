// When there is colour, when lines may be redrawn, and what a closed pipe does.
import { EventEmitter } from 'node:events';
import { createTerminal } from '../../src/system/terminal.ts';
import { assert, describe } from '../helpers/suite.ts';

function stream(isTTY: boolean, columns?: number) {
  const written: string[] = [];
  const emitter = new EventEmitter();
  return Object.assign(emitter, {
    isTTY,
    written,
    write: (text: string) => written.push(text),
    ...(columns === undefined ? {} : { columns }),
  });
}

const terminal = (isTTY: boolean, env: Record<string, string>, columns?: number) =>
  createTerminal({ stdout: stream(isTTY), stderr: stream(isTTY, columns), env });

describe('the terminal', ({ test }) => {
  test('has colour by NO_COLOR, then FORCE_COLOR, then by being one', () => {
    assert.is(terminal(true, {}).colour, true);
    assert.is(terminal(false, {}).colour, false);
    assert.is(terminal(true, { NO_COLOR: '1', FORCE_COLOR: '1' }).colour, false);
    assert.is(terminal(true, { NO_COLOR: '' }).colour, true);
    assert.is(terminal(false, { FORCE_COLOR: '1' }).colour, true);
    assert.is(terminal(true, { FORCE_COLOR: '0' }).colour, false);
    assert.is(terminal(true, { TERM: 'dumb' }).colour, false);
  });

  test('is redrawn only where someone watches', () => {
    assert.is(terminal(true, {}).interactive, true);
    assert.is(terminal(false, {}).interactive, false);
    assert.is(terminal(true, { CI: 'true' }).interactive, false);
    assert.is(terminal(true, { TERM: 'dumb' }).interactive, false);
  });

  test('has a width that can be written in', () => {
    assert.is(terminal(true, {}, 120).columns, 120);
    assert.is(terminal(true, {}, 0).columns, 80);
    assert.is(terminal(false, {}).columns, 80);
  });

  test('stays quiet once its reader has gone', () => {
    const stdout = stream(false);
    const { out } = createTerminal({ stdout, stderr: stream(false), env: {} });

    out('a');
    stdout.emit('error', Object.assign(new Error('closed'), { code: 'EPIPE' }));
    out('b');

    assert.equal(stdout.written, ['a']);
    assert.throws(() => stdout.emit('error', Object.assign(new Error('full'), { code: 'ENOSPC' })), 'full');
  });
});
