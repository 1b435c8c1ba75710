// Programs: arguments, environment, endings.
import { formatError, IsthmusError } from '../../src/base/errors.ts';
import { childEnvironment, createExec } from '../../src/system/exec.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const node = process.execPath;
const canary = 'canary-4711';

async function failureOf(body: () => unknown): Promise<IsthmusError> {
  const error = await thrownBy(body);
  assert.ok(error instanceof IsthmusError, String(error));
  assert.not.match(formatError(error), canary);
  return error;
}

describe('running programs', ({ test }) => {
  const exec = createExec(process.env, new AbortController().signal);

  test('hands over arguments as they are, without a shell', async () => {
    const args = ['$(id)', ';rm', "a'b", 'a\nb', '', '*'];

    const { stdout } = await exec(node, ['-e', 'console.log(JSON.stringify(process.argv.slice(1)))', '--', ...args]);

    assert.equal(JSON.parse(stdout), args);
  });

  test('gives back exit code, both outputs to the last byte, and takes standard input', async () => {
    const script = 'process.stdin.on("data", (d) => { process.stdout.write(d); process.stderr.write("no\\n\\n"); process.exitCode = 3 })';

    const result = await exec(node, ['-e', script], { input: 'in\n\n' });

    assert.equal(result, { code: 3, stdout: 'in\n\n', stderr: 'no\n\n' });
  });

  test('passes on only what programs and credential plugins need', () => {
    const env = {
      PATH: '/bin',
      HOME: '/me',
      AWS_PROFILE: 'a',
      https_proxy: 'p',
      HELM_NAMESPACE: 'x',
      NODE_OPTIONS: 'y',
      SECRET: canary,
      KUBECONFIG: 'k',
    };

    assert.equal(childEnvironment(env, { NO_COLOR: '1', HOME: '/other' }), {
      ...{ PATH: '/bin', HOME: '/other', AWS_PROFILE: 'a', https_proxy: 'p', KUBECONFIG: 'k', NO_COLOR: '1' },
    });
  });

  test('gives a child nothing but that environment', async () => {
    const { stdout } = await createExec({ PATH: '/bin', SECRET: canary }, new AbortController().signal)(
      node,
      ['-e', 'console.log(Object.keys(process.env).join())'],
      { env: { A: '1' } },
    );

    assert.is(stdout, 'PATH,A\n');
  });

  test('says what to install when the program is missing', async () => {
    const error = await failureOf(() => exec('isthmus-no-such-program', [canary]));

    assert.is(error.message, 'isthmus-no-such-program was not found');
    assert.is(error.hint, 'Install isthmus-no-such-program or put it on PATH.');
  });

  test('ends a program that takes too long, is not wanted any more, or was killed', async () => {
    const forever = ['-e', 'setInterval(() => {}, 1000)', canary];
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 200);

    const [late, stopped, killed] = await Promise.all([
      failureOf(() => exec(node, forever, { timeoutMs: 200 })),
      failureOf(() => exec(node, forever, { signal: controller.signal })),
      failureOf(() => exec(node, ['-e', 'process.kill(process.pid, "SIGKILL")'])),
    ]);

    assert.match(late.message, 'did not finish within 0.2 s');
    assert.match(stopped.message, 'was stopped');
    assert.match(killed.message, 'was ended by SIGKILL');
  });
});
