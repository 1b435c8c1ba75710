// Bundles from someone who means harm, or from a broken disk: each is refused with its reason, and nothing is written anywhere.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IsthmusError } from '../../src/base/errors.ts';
import { runProgram } from '../../src/commands/program.ts';
import { createFiles } from '../../src/system/files.ts';
import { entriesOf, prepared } from '../helpers/bundles.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { fakeSystem } from '../helpers/system.ts';
import { type Entries, hostileArchives, packed } from './hostile-archives.ts';
import { hostileContents } from './hostile-contents.ts';

describe('a bundle from outside', ({ test, before, after }) => {
  let folder = '';
  let good: Entries = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-hostile-'));
    good = await entriesOf(await prepared());
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const run = async (...argv: string[]) => {
    const system = { ...fakeSystem(), cwd: folder, files: createFiles(), env: { TMPDIR: folder } };
    return runProgram(system, argv);
  };

  test('is taken when nothing is wrong with it, whoever compressed it', async () => {
    writeFileSync(join(folder, 'bundle.tgz'), packed(good));

    assert.is(await run('bundle', 'verify', 'bundle.tgz'), 0);
    assert.is(await run('bundle', 'inspect', 'bundle.tgz'), 0);
  });

  for (const { title, reason, archive } of [...hostileArchives, ...hostileContents]) {
    test(`is refused with ${title}`, async () => {
      writeFileSync(join(folder, 'bundle.tgz'), await archive(good));

      const error = await thrownBy(() => run('bundle', 'verify', 'bundle.tgz'));

      assert.ok(error instanceof IsthmusError, String(error));
      assert.is(error.kind, 'findings', error.message);
      assert.match(`${error.where}: ${error.message}`, reason);
      assert.match(error.where ?? '', join(folder, 'bundle.tgz'));
      assert.not.match(`${error.where} ${error.message}`, /\p{Cc}/u);
      assert.equal(readdirSync(folder), ['bundle.tgz']);
    });
  }
});
