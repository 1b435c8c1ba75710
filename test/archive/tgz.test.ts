// Packed archives: what goes in comes out, the same bytes whatever the order, and other tools read them.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { packTgz, readTgz } from '../../src/archive/tgz.ts';
import type { ArchiveEntry } from '../../src/archive/types.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const mtime = 315532800;

const chart: readonly ArchiveEntry[] = [
  { path: 'route-installer/templates/job.yaml', contents: Buffer.from('kind: Job\n'.repeat(400)) },
  { path: 'route-installer/Chart.yaml', contents: Buffer.from('name: route-installer\n') },
  { path: 'route-installer/files/agent.sh', contents: Buffer.from('#!/bin/sh\n'), executable: true },
];

const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,20}$/).filter((text) => !/^(con|prn|aux|nul|com\d|lpt\d)$/.test(text));
const entries = fc
  .uniqueArray(fc.tuple(name, name, fc.uint8Array({ maxLength: 3000 }), fc.boolean()), {
    selector: ([folder, file]) => `${folder}/${file}`,
  })
  .map((rows) => rows.map(([folder, file, contents, executable]) => ({ path: `d-${folder}/${file}`, contents, executable })));

describe('packed archives', ({ test }) => {
  test('give back what went in', async () => {
    await fc.assert(
      fc.asyncProperty(entries, async (written) => {
        const read = await readTgz(await packTgz(written, { mtime }));

        const wanted = [...written].sort((a, b) => (a.path < b.path ? -1 : 1));
        assert.equal(
          read.map(({ path, contents, executable }) => [path, Buffer.from(contents).toString('hex'), executable ?? false]),
          wanted.map(({ path, contents, executable }) => [path, Buffer.from(contents).toString('hex'), executable]),
        );
      }),
      { seed: 5, numRuns: 60 },
    );
  });

  test('have the same bytes in whatever order the files come, and on every machine', async () => {
    const one = await packTgz(chart, { mtime });
    const other = await packTgz(chart.toReversed(), { mtime });

    assert.ok(Buffer.from(one).equals(other));
    assert.is(createHash('sha256').update(one).digest('hex'), 'f4979aa8fba83c33b4cbbe4574e62593ce395525810990b1357d24a91003e915');
  });

  test('are read by tar and gzip, with modes, owners and time as they were set', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'isthmus-archive-'));
    try {
      writeFileSync(join(folder, 'chart.tgz'), await packTgz(chart, { mtime }));

      const listing = execFileSync('tar', ['-tvzf', join(folder, 'chart.tgz'), '--numeric-owner'], {
        encoding: 'utf8',
        env: { ...process.env, TZ: 'UTC' },
      });

      assert.equal(
        listing
          .trim()
          .split('\n')
          .map((line) => line.split(/ +/)),
        [
          ['-rw-r--r--', '0/0', '22', '1980-01-01', '00:00', 'route-installer/Chart.yaml'],
          ['-rwxr-xr-x', '0/0', '10', '1980-01-01', '00:00', 'route-installer/files/agent.sh'],
          ['-rw-r--r--', '0/0', '4000', '1980-01-01', '00:00', 'route-installer/templates/job.yaml'],
        ],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('hold paths of 255 characters where they can be split', async () => {
    const path = `${'a'.repeat(150)}/${'b'.repeat(100)}`;

    const [entry] = await readTgz(await packTgz([{ path, contents: new Uint8Array() }], { mtime }));

    assert.is(entry?.path, path);
    const error = await thrownBy(() => packTgz([{ path: 'c'.repeat(101), contents: new Uint8Array() }], { mtime }));
    assert.match(String(error), 'too long for an archive');
  });

  test('are refused when a flipped bit changes anything, and when a byte is missing or added', async () => {
    const bytes = Buffer.from(await packTgz(chart, { mtime }));
    const intact = await readTgz(bytes);
    const flipped = Array.from({ length: bytes.length }, (_, at) =>
      Buffer.from(bytes.map((byte, index) => (index === at ? byte ^ 0x10 : byte))),
    );

    for (const archive of flipped) {
      // Some bits of DEFLATE fill up a byte and mean nothing.
      const read = await readTgz(archive).catch((error: Error) => error);
      if (read instanceof Error) assert.is(read.name, 'IsthmusError', String(read));
      else assert.equal(read, intact);
    }
    for (const archive of [bytes.subarray(0, -1), bytes.subarray(1), Buffer.concat([bytes, Buffer.from([0])])]) {
      const error = await thrownBy(() => readTgz(archive));
      assert.is((error as Error).name, 'IsthmusError', String(error));
    }
  });

  test('are refused above a limit', async () => {
    const bytes = await packTgz(chart, { mtime });
    const limits = { maxFiles: 3, maxFileBytes: 4000, maxTotalBytes: 4032 };

    await readTgz(bytes, limits);
    assert.match(String(await thrownBy(() => readTgz(bytes, { ...limits, maxFiles: 2 }))), 'more than 2 files');
    assert.match(String(await thrownBy(() => readTgz(bytes, { ...limits, maxFileBytes: 3999 }))), 'larger than 3999 bytes');
    assert.match(String(await thrownBy(() => readTgz(bytes, { ...limits, maxTotalBytes: 4031 }))), 'more than 4031 bytes');
  });
});
