// Completion scripts: valid for their shells, and they know every command and flag.
import { execFileSync } from 'node:child_process';
import { run } from '../../src/commands/completion.ts';
import { commands } from '../../src/commands/table.ts';
import { assert, describe } from '../helpers/suite.ts';
import { fakeSystem } from '../helpers/system.ts';

async function script(shell: string): Promise<string> {
  const system = fakeSystem();
  await run(system, { positionals: [shell], option: () => undefined, options: () => [], switch: () => false });
  return system.output().out;
}

/** What bash offers for a command line that ends where the cursor is. */
async function completed(line: string): Promise<string[]> {
  const words = line.split(' ');
  const program = `${await script('bash')}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _isthmus; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', program], { encoding: 'utf8', cwd: '/' })
    .split('\n')
    .filter((word) => word !== '');
}

describe('completion', ({ test }) => {
  test('offers every command in bash', async () => {
    const words = await completed('isthmus ');

    for (const spec of commands.filter(({ name }) => !name.includes(' '))) assert.ok(words.includes(spec.name), spec.name);
  });

  test('narrows commands down to what was typed', async () => {
    assert.equal(await completed('isthmus gen'), ['generate']);
  });

  test('offers the flags of a command', async () => {
    assert.equal(await completed('isthmus install --dr'), ['--dry-run']);
  });

  test('offers what stands below a command, and then its flags', async () => {
    assert.equal(await completed('isthmus bundle ver'), ['verify']);
    assert.equal(await completed('isthmus bundle verify --allowed'), ['--allowed-signers']);
  });

  test('offers the formats after -o and the shells after completion', async () => {
    assert.equal(await completed('isthmus plan -o j'), ['json']);
    assert.equal(await completed('isthmus completion f'), ['fish']);
  });

  test('names every command in zsh and fish', async () => {
    const [zsh, fish] = [await script('zsh'), await script('fish')];

    for (const spec of commands) {
      assert.match(zsh, `'${spec.name}') _arguments`);
      assert.match(fish, `-a ${spec.name.split(' ').at(-1)} -d '`);
    }
  });
});
