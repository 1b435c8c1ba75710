// The command line: help, mistakes and exit codes.
import { IsthmusError } from '../../src/base/errors.ts';
import { runProgram } from '../../src/commands/program.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { fakeSystem } from '../helpers/system.ts';

async function ran(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const system = fakeSystem();
  const code = await runProgram(system, argv);
  return { code, ...system.output() };
}

describe('the command line', ({ test }) => {
  test('prints help as a result', async () => {
    const { code, out, err } = await ran('--help');

    assert.is(code, 0);
    assert.match(out, /generate .*write one self-contained chart/);
    assert.is(err, '');
  });

  test('prints the help of a command with its examples', async () => {
    const { code, out } = await ran('install', '--help');

    assert.is(code, 0);
    assert.match(out, '--dry-run');
    assert.match(out, 'isthmus install out --dry-run');
  });

  test('leaves options behind the name of a command below another to that command', async () => {
    const { code, out } = await ran('bundle', 'verify', '--help');
    const unknown = await ran('bundle', 'inspect', 'x.tgz', '--images', 'oci');

    assert.is(code, 0);
    assert.match(out, 'Usage: isthmus bundle verify');
    assert.is(unknown.code, 2);
    assert.match(unknown.err, "unknown option '--images'");
  });

  test('takes no command as a mistake and shows the help', async () => {
    const { code, out, err } = await ran();

    assert.is(code, 2);
    assert.is(out, '');
    assert.match(err, 'Usage: isthmus');
  });

  test('suggests the command that was meant', async () => {
    const { code, out, err } = await ran('genrate');

    assert.is(code, 2);
    assert.is(out, '');
    assert.match(err, 'Did you mean generate?');
  });

  test('refuses unknown flags, bad choices and surplus arguments', async () => {
    for (const argv of [['plan', '--filee', 'x'], ['plan', '-o', 'xml'], ['completion', 'tcsh'], ['completion'], ['version', 'extra']]) {
      const { code, out, err } = await ran(...argv);

      assert.is(code, 2, argv.join(' '));
      assert.is(out, '', argv.join(' '));
      assert.match(err, /^Error: /, argv.join(' '));
    }
  });

  test('prints the version as text, JSON and YAML', async () => {
    assert.match((await ran('version')).out, /^isthmus \d+\.\d+\.\d+(-dev)?\n$/);
    assert.match((await ran('version', '-o', 'yaml')).out, /^version: /);
    assert.type(JSON.parse((await ran('version', '-o', 'json')).out).version, 'string');
  });

  test('says how to start when there is no mesh file', async () => {
    const error = await thrownBy(() => ran('plan'));

    assert.instance(error, IsthmusError);
    assert.is((error as IsthmusError).kind, 'usage');
    assert.match((error as IsthmusError).hint ?? '', 'isthmus init');
  });

  test('refuses a finding that does not exist', async () => {
    const error = await thrownBy(() => ran('explain', 'ISM999'));

    assert.match((error as Error).message, 'ISM999');
  });
});
