// The forms of a result: text, JSON, YAML, aligned tables, and colour where it can be seen.
import { paint, printResult, table } from '../../src/commands/output.ts';
import type { ParsedArguments } from '../../src/commands/types.ts';
import { assert, describe } from '../helpers/suite.ts';
import { fakeSystem } from '../helpers/system.ts';

const findings =
  'Findings\n  error    ISM010  mesh  Overlap.\n           error ISM010 in a hint stays plain\n  warning  ISM031  c2    Public.\n';

function printed(format: string | undefined): string {
  const system = fakeSystem();
  const args: ParsedArguments = { positionals: [], option: () => format, options: () => [], switch: () => false };
  printResult(system.terminal, args, { value: { name: 'no', count: 2 }, text: () => 'two\n' });
  return system.output().out;
}

describe('the output of commands', ({ test }) => {
  test('has the form that is asked for', () => {
    assert.is(printed(undefined), 'two\n');
    assert.is(printed('text'), 'two\n');
    assert.is(printed('json'), '{\n  "name": "no",\n  "count": 2\n}\n');
    assert.is(printed('yaml'), 'name: "no"\ncount: 2\n');
  });

  test('aligns the columns of a table and leaves no space at the end', () => {
    assert.is(table([['a', 'long', 'x'], ['longer', 'b', ''], ['c']]), 'a       long  x\nlonger  b\nc\n');
    assert.is(table([]), '');
  });

  test('colours severities, and nothing else', () => {
    const { terminal } = fakeSystem();

    assert.is(paint(terminal, findings), findings);
    assert.is(
      paint({ ...terminal, colour: true }, findings),
      'Findings\n\u001b[31m  error\u001b[0m    ISM010  mesh  Overlap.\n           error ISM010 in a hint stays plain\n\u001b[33m  warning\u001b[0m  ISM031  c2    Public.\n',
    );
  });
});
