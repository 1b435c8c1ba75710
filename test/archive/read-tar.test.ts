// The reader of archives against bytes from outside: whatever they are, it gives back what was packed or says why not.
import fc from 'fast-check';
import { packTgz, readTgz } from '../../src/archive/tgz.ts';
import type { ArchiveEntry } from '../../src/archive/types.ts';
import { IsthmusError } from '../../src/base/errors.ts';
import { membersOf, mtime, type RawMember, rawGzip, rawTar } from '../helpers/bundles.ts';
import { assert, describe } from '../helpers/suite.ts';

const entries: readonly ArchiveEntry[] = [
  { path: 'a/Chart.yaml', contents: Buffer.from('name: a\n') },
  { path: 'a/files/run.sh', contents: Buffer.from('#!/bin/sh\n'), executable: true },
  { path: 'a/values.yaml', contents: Buffer.alloc(1500, 'x: 1\n') },
];
const limits = { maxFiles: 50, maxFileBytes: 10_000, maxTotalBytes: 50_000 };

/** What an archive holds, or undefined when it is refused; anything but an IsthmusError is a fault of the reader. */
async function readOrRefuse(bytes: Uint8Array): Promise<readonly ArchiveEntry[] | undefined> {
  try {
    return await readTgz(bytes, limits);
  } catch (error) {
    assert.ok(error instanceof IsthmusError, error instanceof Error ? error.stack : String(error));
    assert.is(error.kind, 'findings');
    return undefined;
  }
}

/** What is read must be exactly what packing it again gives: nothing was skipped, guessed or repaired. */
async function assertExact(tar: Buffer): Promise<void> {
  const read = await readOrRefuse(rawGzip(tar));
  if (read === undefined) return;
  const time = tar.toString('latin1', 136, 147);
  const again = rawTar(membersOf(read).map((each) => ({ ...each, mtime: time })));
  assert.ok(read.length === 0 || again.equals(tar), 'read something else than was written');
}

const field = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '../x',
    '/x',
    'a/b',
    'A',
    '00000000000',
    '77777777777',
    '\u0080\u0001',
    '0000755',
    'ustar\0' + '00',
    'ustar  \0',
  ),
  fc.string({ maxLength: 20 }),
);
const member: fc.Arbitrary<RawMember> = fc.record(
  {
    name: fc.oneof(field, fc.constantFrom('a', 'a/b', 'b', 'c/d/e')),
    prefix: field,
    contents: fc.uint8Array({ maxLength: 1200 }),
    mode: field.map((text) => text.slice(0, 8)),
    uid: field.map((text) => text.slice(0, 8)),
    owner: field,
    size: field.map((text) => text.slice(0, 12)),
    mtime: field.map((text) => text.slice(0, 12)),
    kind: fc.constantFrom('0', '0', '1', '2', '5', 'x', 'L', '\0'),
    magic: field.map((text) => text.slice(0, 8)),
    padding: fc.constantFrom('\0', 'x'),
  },
  { requiredKeys: ['name'] },
);

describe('the reader of archives', ({ test }) => {
  test('never takes a changed tar for what it is not', async () => {
    const tar = rawTar(membersOf(entries));
    const change = fc.record({ at: fc.nat({ max: tar.length - 1 }), byte: fc.nat({ max: 255 }) });

    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const changed = Buffer.from(tar);
        for (const { at, byte } of changes) changed[at] = byte;

        await assertExact(changed);
      }),
      { seed: 21, numRuns: 1500 },
    );
  });

  test('never takes anything but its own form from any other writer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(member, { maxLength: 4 }), fc.nat({ max: 3 }), (members, end) => assertExact(rawTar(members, end))),
      { seed: 22, numRuns: 1500 },
    );
  });

  test('refuses noise, and gzip around noise', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async (noise) => {
        assert.is(await readOrRefuse(noise), undefined);
        const read = await readOrRefuse(rawGzip(noise));
        assert.ok(read === undefined || noise.every((byte) => byte === 0));
      }),
      { seed: 23, numRuns: 400 },
    );
  });

  test('reads the same however its bytes arrive, and refuses every part of them', async () => {
    const bytes = Buffer.from(await packTgz(entries, { mtime }));

    for (let length = 0; length < bytes.length; length += 7) assert.is(await readOrRefuse(bytes.subarray(0, length)), undefined);
    assert.equal(await readOrRefuse(bytes), await readTgz(bytes));
  });
});
