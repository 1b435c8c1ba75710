// The probe's script between network namespaces, without privileges: what it finds when all is well, and what when it is not.
import { spawnSync } from 'node:child_process';
import { readAnswers } from '../../../src/verify/pods/answers.ts';
import { probeScript } from '../../../src/verify/pods/script.ts';
import { assert, describe } from '../../helpers/suite.ts';
import { toolPath } from '../../helpers/tools.ts';
import { hex } from '../world.ts';
import { addresses, type Passage, type Programs, withPassage } from './passage.ts';

const { asker, listener } = addresses;
const long = { timeoutMs: 60_000 };

/** The one answer about the listener; the listening pod may need a moment, which the asking one has patience for. */
async function answerOf(passage: Passage) {
  const lines = await passage.ask(listener);
  const answer = readAnswers(lines.join('\n')).get(0);
  if (answer === undefined) throw new Error(`no answer in:\n${lines.join('\n')}`);
  return answer;
}

/** The last 32 bits of what /proc/net/tcp shows: a socket for both families shows IPv4 inside IPv6. */
function remotes(seen: readonly string[]): string[] {
  return [...new Set(seen.map((pair) => pair.slice(-8)))];
}

/** Runs the body with each kind of programs, side by side. */
async function withEach(body: (passage: Passage, programs: Programs) => Promise<void>): Promise<void> {
  await Promise.all((['openbsd', 'busybox'] as const).map((programs) => withPassage(programs, (passage) => body(passage, programs))));
}

describe('the probe between two pods', ({ test }) => {
  test(
    'finds that all is well, for several targets at once',
    () =>
      withEach(async (passage, programs) => {
        passage.listen();

        const answers = [...readAnswers((await passage.ask(listener, listener, listener)).join('\n')).values()];

        assert.is(answers.length, 3);
        for (const { tcp, full, size, seen } of answers) {
          assert.is(tcp, 'ok');
          assert.is(full, programs === 'busybox' ? 'transfer' : 'ok');
          assert.is(size, 1450);
          assert.equal(remotes(seen), [hex(asker)]);
        }
      }),
    long,
  );

  test(
    'sees the address that arrives',
    () =>
      withEach(async (passage) => {
        passage.listen();
        await passage.between('iptables', '-t', 'nat', '-A', 'POSTROUTING', '-s', asker, '-j', 'MASQUERADE');

        assert.equal(remotes((await answerOf(passage)).seen), [hex('10.99.2.1')]);
      }),
    long,
  );

  test(
    'tells packets of full size that are lost from a connection that works',
    () =>
      withEach(async (passage, programs) => {
        passage.listen();
        await passage.between('iptables', '-A', 'FORWARD', '-m', 'length', '--length', '1000:65535', '-j', 'DROP');

        const { tcp, full, size } = await answerOf(passage);

        assert.is(tcp, 'ok');
        assert.is(full, programs === 'busybox' ? 'stalled' : 'lost');
        assert.is(size, 1450);
      }),
    long,
  );

  test(
    'tells silence, refusal and a missing route apart',
    () =>
      withEach(async (passage) => {
        await passage.between('iptables', '-A', 'FORWARD', '-d', '10.99.2.7', '-j', 'DROP');
        await passage.ip('between', 'route add unreachable 10.99.3.0/24');

        const answers = readAnswers((await passage.ask(listener, '10.99.2.7', '10.99.3.1')).join('\n'));

        assert.equal(
          [0, 1, 2].map((number) => [answers.get(number)?.tcp, answers.get(number)?.full]),
          [
            ['refused', 'untested'],
            ['silent', 'untested'],
            ['unreachable', 'untested'],
          ],
        );
      }),
    long,
  );

  test('pings without a privilege, and notices what does not answer', async () => {
    await withPassage('openbsd', async (passage) => {
      passage.listen();
      assert.is((await answerOf(passage)).ping, 'ok');

      await passage.between('iptables', '-A', 'FORWARD', '-p', 'icmp', '-j', 'DROP');

      const { tcp, ping } = await answerOf(passage);
      assert.equal([tcp, ping], ['ok', 'lost']);
    });
  });

  test('notices a link in between that packets of full size do not pass', async () => {
    await withPassage('openbsd', async (passage) => {
      passage.listen();
      await passage.ip('between', 'link set listener mtu 1300');

      const { tcp, ping, full, size } = await answerOf(passage);

      assert.equal([tcp, ping, full, size], ['ok', 'ok', 'lost', 1450]);
    });
  });

  test('is sound to shellcheck', () => {
    const { stdout, status } = spawnSync(toolPath('shellcheck'), ['--shell=sh', '-'], { input: probeScript, encoding: 'utf8' });

    assert.is(stdout, '');
    assert.is(status, 0);
  });

  test('says which program the image lacks', () => {
    const env = { PATH: '/nonexistent', PROBE_FOLDER: '/', PROBE_RUN: 'x', PROBE_ADDRESS: '10.0.0.1' };

    const { stderr, status } = spawnSync(toolPath('dash'), ['-c', probeScript, 'probe', 'listen'], { env, encoding: 'utf8' });

    assert.is(stderr, 'the image has no nc\n');
    assert.is(status, 1);
  });
});
