// The file system against what a path may turn out to be.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IsthmusError } from '../../src/base/errors.ts';
import { createFiles } from '../../src/system/files.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

async function refusal(body: () => unknown): Promise<string> {
  const error = await thrownBy(body);
  assert.ok(error instanceof IsthmusError, String(error));
  assert.ok(error.where);
  return error.message;
}

describe('files', ({ test, before, after }) => {
  const files = createFiles();
  let folder = '';
  const path = (name: string) => join(folder, name);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-files-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('read regular files, also through links to them', async () => {
    writeFileSync(path('plain'), 'text\n');
    symlinkSync('plain', path('link'));

    assert.is(await files.read(path('plain')), 'text\n');
    assert.is(await files.read(path('link')), 'text\n');
  });

  test('write and read bytes that are no text', async () => {
    const bytes = Uint8Array.from([0x1f, 0x8b, 0, 0xff, 0xfe]);

    await files.write(path('bytes'), bytes);

    assert.ok(Buffer.from(bytes).equals(await files.readBytes(path('bytes'))));
    assert.is(await refusal(() => files.read(path('bytes'))), 'is not UTF-8 text');
    assert.is(await refusal(() => files.readBytes(path('bytes'), 4)), 'is larger than 4 bytes');
  });

  test('stream bytes in and out, and leave nothing of a stream that fails', async () => {
    const bytes = Buffer.alloc(700_000, 'isthmus');
    const pieces = async function* (fails: boolean) {
      yield bytes.subarray(0, 600_000);
      if (fails) throw new Error('the source ended');
      yield bytes.subarray(600_000);
    };

    await files.writeStream(path('streams/whole'), pieces(false), { executable: true });
    const error = await thrownBy(() => files.writeStream(path('streams/broken'), pieces(true)));

    const read: Uint8Array[] = [];
    for await (const chunk of files.readStream(path('streams/whole'))) read.push(chunk);
    assert.ok(Buffer.concat(read).equals(bytes));
    assert.is(await files.size(path('streams/whole')), 700_000);
    assert.is(statSync(path('streams/whole')).mode & 0o777, 0o755);
    assert.is((error as Error).message, 'the source ended');
    assert.equal(readdirSync(path('streams')), ['whole']);
    assert.is(await refusal(() => files.size(path('streams'))), 'is a folder; a file is expected');
  });

  test('refuse everything else with a reason, and never hang', async () => {
    mkdirSync(path('folder'));
    execFileSync('mkfifo', [path('pipe')]);
    symlinkSync('loop', path('loop'));

    assert.is(await refusal(() => files.read(path('folder'))), 'is a folder; a file is expected');
    assert.is(await refusal(() => files.read(path('pipe'))), 'is not a regular file');
    assert.is(await refusal(() => files.read('/dev/zero')), 'is not a regular file');
    assert.is(await refusal(() => files.read(path('loop'))), 'is a symbolic link that leads to itself');
    assert.is(await refusal(() => files.read(path('missing'))), 'does not exist');
    assert.is(await refusal(() => files.read(join(path('plain'), 'below'))), 'lies below something that is not a folder');
    assert.is(await refusal(() => files.read(path('x'.repeat(300)))), 'has a name that is too long');
  });

  test('refuse a file that this user may not read', async () => {
    writeFileSync(path('secret'), 'text');
    chmodSync(path('secret'), 0);
    // Root may read everything, so the rule is shown there with a file of the kernel that nobody may read.
    const unreadable = process.getuid?.() === 0 ? '/proc/sys/net/ipv4/route/flush' : path('secret');

    assert.is(await refusal(() => files.read(unreadable)), 'may not be read by this user');
  });

  test('refuse what is too large, also when the size is not known before', async () => {
    writeFileSync(path('large'), 'x'.repeat(1001));

    assert.is(await refusal(() => files.read(path('large'), 1000)), 'is larger than 1000 bytes');
    assert.is(await refusal(() => files.read('/proc/self/smaps', 10)), 'is larger than 10 bytes');
  });

  test('refuse bytes that are no UTF-8, and keep a byte order mark for the parser', async () => {
    writeFileSync(path('latin1'), Buffer.from([0x61, 0xe4, 0x62]));
    writeFileSync(path('mark'), '\u{feff}a');

    assert.is(await refusal(() => files.read(path('latin1'))), 'is not UTF-8 text');
    assert.is(await files.read(path('mark')), '\u{feff}a');
  });

  test('write the whole file or nothing, with folders and mode', async () => {
    await files.write(path('a/b/run.sh'), '#!/bin/sh\n', { executable: true });
    await files.write(path('a/b/run.sh'), '#!/bin/sh\nexit\n', { executable: true });
    await files.write(path('a/plain'), 'x');

    assert.is(readFileSync(path('a/b/run.sh'), 'utf8'), '#!/bin/sh\nexit\n');
    assert.is(statSync(path('a/b/run.sh')).mode & 0o777, 0o755);
    assert.is(statSync(path('a/plain')).mode & 0o777, 0o644);
    assert.equal(readdirSync(path('a/b')), ['run.sh']);
  });

  test('say why a file cannot be written, and leave nothing behind', async () => {
    mkdirSync(path('taken/below'), { recursive: true });

    const message = await refusal(() => files.write(path('taken'), 'x'));

    assert.match(message, /^cannot be written: is a folder/);
    assert.equal(
      readdirSync(folder).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });

  test('list regular files below a folder in the order of bytes', async () => {
    for (const name of ['tree/b', 'tree/a/z', 'tree/a-b', 'tree/B']) await files.write(path(name), '');

    assert.equal(await files.list(path('tree')), ['B', 'a-b', 'a/z', 'b']);
  });

  test('refuse links and pipes in a listed folder', async () => {
    mkdirSync(path('linked'));
    symlinkSync('/etc', path('linked/etc'));
    mkdirSync(path('piped'));
    execFileSync('mkfifo', [path('piped/pipe')]);

    assert.match(await refusal(() => files.list(path('linked'))), 'is a symbolic link');
    assert.is(await refusal(() => files.list(path('piped'))), 'is not a regular file');
  });

  test('know what exists, and remove it', async () => {
    await files.write(path('gone/a/b'), '');
    await files.remove(path('gone'));
    await files.remove(path('gone'));

    assert.is(await files.exists(path('gone')), false);
    assert.is(await files.exists(join(path('plain'), 'x')), false);
    assert.is(await files.exists(path('plain')), true);
  });
});
