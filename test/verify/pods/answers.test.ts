// Lines of probe pods as checks, and addresses as kernels write them.
import { checksOf, readAnswers } from '../../../src/verify/pods/answers.ts';
import { assert, describe } from '../../helpers/suite.ts';

const route = {
  from: { cluster: 'one', node: 'n1' },
  to: { cluster: 'two', node: 'n2' },
  asker: '10.1.0.5',
  listener: '10.2.0.7',
};

/** The check of that name, for a log of one line. */
function check(name: string, line: string, more: Partial<typeof route> = {}) {
  return checksOf(readAnswers(line).get(0), { ...route, ...more }).find((each) => each.name === name);
}

function sourceOutcome(seen: string, more: Partial<typeof route> = {}): string {
  const found = check('source address', `0 tcp=ok ping=ok full=ok size=1500 seen=${seen}`, more);
  return found?.message ?? found?.outcome ?? 'missing';
}

describe('answers of probe pods', ({ test }) => {
  test('are read line by line, whatever else is in the log', () => {
    const log =
      'warning: x\n1 tcp=ok ping=ok full=ok size=1500 seen=0700020A=0500010A\n\n7 tcp=silent ping=lost full=untested size=1450 seen=\n';

    assert.equal(readAnswers(log).get(1), { target: 1, tcp: 'ok', ping: 'ok', full: 'ok', size: 1500, seen: ['0700020A=0500010A'] });
    assert.equal(readAnswers(log).get(7)?.seen, []);
    assert.is(readAnswers(log).size, 2);
  });

  test('are nothing where the form is another', () => {
    for (const line of [
      '0 tcp=OK ping=ok full=ok size=1 seen=',
      '0 tcp=ok ping=ok full=ok size= seen=',
      'x 0 tcp=ok',
      '0 tcp=ok ping=ok full=ok size=1 seen=<b>',
    ])
      assert.is(readAnswers(line).size, 0, line);
  });

  test('keep the source address when the asking pod is among those seen', () => {
    assert.is(sourceOutcome('0700020A=0300010A,0700020A=0500010A'), 'passed');
    assert.is(sourceOutcome('0700020A=0300010A'), '10.1.0.5 arrives as 10.1.0.3');
    assert.is(sourceOutcome(''), '10.1.0.5 arrives as an unknown address');
  });

  test('are understood from kernels of both byte orders', () => {
    assert.is(sourceOutcome('0A020007=0A010005'), 'passed');
    assert.is(sourceOutcome('0A020007=09090909'), '10.1.0.5 arrives as 9.9.9.9');
  });

  test('are understood from sockets for both families, and from IPv6', () => {
    assert.is(sourceOutcome('0000000000000000FFFF00000700020A=0000000000000000FFFF00000500010A'), 'passed');
    const pods = { asker: 'fd00::5', listener: 'fd00:0:0:0:0:0:0:7' };
    assert.is(sourceOutcome('000000FD000000000000000007000000=000000FD000000000000000005000000', pods), 'passed');
    assert.is(sourceOutcome('000000FD000000000000000007000000=000000FD000000000000000006000000', pods), 'fd00::5 arrives as fd00::6');
  });

  test('say what was skipped and why', () => {
    const silent = '0 tcp=silent ping=unavailable full=untested size=1500 seen=';

    assert.is(check('source address', silent)?.message, 'there is no connection');
    assert.is(check('full-size packets', silent)?.outcome, 'skipped');
    assert.is(check('ping', silent)?.message, 'the ping of the image needs privileges');
    assert.is(check('tcp', silent)?.outcome, 'failed');
  });

  test('fail for a word that is not known', () => {
    assert.is(check('tcp', '0 tcp=perhaps ping=ok full=ok size=1 seen=')?.message, 'the probe pod said perhaps');
    assert.is(check('full-size packets', '0 tcp=ok ping=ok full=perhaps size=1 seen=')?.outcome, 'failed');
  });

  test('have a reason for every failure', () => {
    const lines = ['refused', 'unreachable', 'silent'].map((tcp) => `0 tcp=${tcp} ping=lost full=untested size=1 seen=`);
    const full = ['stalled', 'lost', 'busy'].map((word) => `0 tcp=ok ping=lost full=${word} size=1 seen=`);

    for (const line of [...lines, ...full])
      for (const { outcome, message, hint } of checksOf(readAnswers(line).get(0), route).filter((each) => each.outcome === 'failed'))
        assert.ok(message !== undefined && hint !== undefined, `${line} ${outcome}`);
  });
});
