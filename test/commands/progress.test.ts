// What people see while releases are installed.
import { describeResult, showProgress } from '../../src/commands/progress.ts';
import type { Terminal } from '../../src/system/types.ts';
import { assert, describe } from '../helpers/suite.ts';

function terminal(interactive: boolean): Terminal & { text(): string } {
  let err = '';
  return {
    out: () => assert.unreachable('progress is not a result'),
    err: (text) => {
      err += text;
    },
    interactive,
    colour: false,
    columns: 80,
    text: () => err,
  };
}

const installed = { cluster: 'cluster1', step: 'istio-ilb', outcome: 'installed', seconds: 1.24 } as const;

describe('progress', ({ test }) => {
  test('is plain lines without a terminal', () => {
    const to = terminal(false);

    const progress = showProgress(to);
    progress.listener({ type: 'start', cluster: 'cluster1', step: 'istio-ilb' });
    progress.listener({ type: 'progress', cluster: 'cluster1', step: 'istio-ilb', text: 'waits for an address' });
    progress.listener({ type: 'end', result: installed });
    progress.stop();

    assert.is(
      to.text(),
      'cluster1      istio-ilb                     waits for an address\ncluster1      istio-ilb                     installed, 1.2 s\n',
    );
  });

  test('says once what is waited for, and again when it has changed', () => {
    const to = terminal(false);
    const { listener } = showProgress(to);

    for (const text of ['waits for a', 'waits for a', 'waits for b', 'waits for a'])
      listener({ type: 'progress', cluster: 'c1', step: 'x', text });

    assert.equal(
      to
        .text()
        .split('\n')
        .map((line) => line.slice(-1)),
      ['a', 'b', 'a', ''],
    );
  });

  test('redraws what is running below what is done on a terminal', () => {
    const to = terminal(true);

    const progress = showProgress(to);
    progress.listener({ type: 'start', cluster: 'c1', step: 'a' });
    progress.listener({ type: 'start', cluster: 'c2', step: 'b' });
    progress.listener({ type: 'end', result: { ...installed, cluster: 'c1', step: 'a' } });
    progress.stop();

    const screen = to.text().split('\u001b[0J').at(-2) ?? '';
    assert.match(screen, /^c1 +a +installed, 1.2 s\nc2 +b +\.\.\.\n/);
    assert.ok(to.text().endsWith('\u001b[1A\u001b[0J'));
  });

  test('says why a step failed and what to do', () => {
    const text = describeResult({
      ...installed,
      outcome: 'failed',
      seconds: 0,
      message: 'node n1: no iproute2\nnode n2: no iproute2',
      hint: 'Set routes.image.',
    });

    assert.is(
      text,
      'cluster1      istio-ilb                     failed\n    node n1: no iproute2\n    node n2: no iproute2\n    Set routes.image.',
    );
  });
});
