// Durations on the command line.
import { parseDuration } from '../../src/commands/duration.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

describe('durations', ({ test }) => {
  test('are read as helm and kubectl read them', () => {
    assert.is(parseDuration('90s', '--timeout'), 90_000);
    assert.is(parseDuration('10m', '--timeout'), 600_000);
    assert.is(parseDuration('1h30m', '--timeout'), 5_400_000);
    assert.is(parseDuration('1500ms', '--timeout'), 1500);
  });

  test('are refused when they are anything else', async () => {
    for (const text of ['', '10', 'm', '-5s', '1.5h', '5 m', '10minutes', '0s', '1h ', '9999999h'])
      assert.match(String(await thrownBy(() => parseDuration(text, '--timeout'))), '--timeout', text);
  });
});
