// Archives that no bundle may be, each made of a good bundle: their form is wrong, whatever is in them.
import type { ArchiveEntry } from '../../src/archive/types.ts';
import { membersOf, type RawMember, rawGzip, rawTar, resealed } from '../helpers/bundles.ts';

export type Entries = readonly ArchiveEntry[];

/** Something to refuse, and why. */
export interface HostileBundle {
  readonly title: string;
  /** Part of what is said. */
  readonly reason: string | RegExp;
  /** Files of a good bundle turned into the bytes of a bad one. */
  readonly archive: (good: Entries) => Uint8Array | Promise<Uint8Array>;
}

/** A small file. */
export function text(path: string, contents = 'x'): ArchiveEntry {
  return { path, contents: Buffer.from(contents) };
}

/** Files as an archive of the right form. */
export function packed(entries: Entries): Buffer {
  return rawGzip(rawTar(membersOf(entries)));
}

/** A good bundle with one member more, as its first. */
function withMember(member: RawMember): HostileBundle['archive'] {
  return (good) => rawGzip(rawTar([member, ...membersOf(good)]));
}

export const hostileArchives: readonly HostileBundle[] = [
  { title: 'an empty file', reason: 'not a gzip archive', archive: () => Buffer.alloc(0) },
  {
    title: 'a file that is no archive',
    reason: 'is not a gzip archive',
    archive: () => Buffer.from('PK\u0003\u0004 something else altogether'),
  },
  {
    title: 'gzip with a file name in its header',
    reason: 'gzip header that isthmus does not write',
    archive: (good) => rawGzip(rawTar(membersOf(good)), [0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 2, 0xff]),
  },
  {
    title: 'gzip with a time in its header',
    reason: 'gzip header that isthmus does not write',
    archive: (good) => rawGzip(rawTar(membersOf(good)), [0x1f, 0x8b, 8, 0, 1, 0, 0, 0, 2, 0xff]),
  },
  {
    title: 'a bundle that ends in the middle',
    reason: /ends too early|cannot be unpacked/,
    archive: (good) => packed(good).subarray(0, -5000),
  },
  { title: 'a bundle without its last byte', reason: /ends too early|damaged|goes on/, archive: (good) => packed(good).subarray(0, -1) },
  {
    title: 'bytes behind the gzip member',
    reason: 'goes on after the end of its gzip member',
    archive: (good) => Buffer.concat([packed(good), Buffer.from('x')]),
  },
  {
    title: 'a second gzip member',
    reason: 'goes on after the end of its gzip member',
    archive: (good) => Buffer.concat([packed(good), packed(good)]),
  },
  { title: 'a wrong checksum of gzip', reason: 'gzip checksum is another', archive: (good) => flipped(packed(good), -8) },
  { title: 'a wrong length of gzip', reason: 'gzip checksum is another', archive: (good) => flipped(packed(good), -1) },
  { title: 'a flipped bit in the middle', reason: /./, archive: (good) => flipped(packed(good), 20_000) },
  {
    title: 'bytes behind the end of the tar',
    reason: 'goes on after its end',
    archive: (good) => rawGzip(Buffer.concat([rawTar(membersOf(good)), Buffer.from('x')])),
  },
  {
    title: 'files behind the end of the tar',
    reason: 'goes on after its end',
    archive: (good) => rawGzip(Buffer.concat([rawTar(membersOf(good)), rawTar([{ name: 'later' }])])),
  },
  { title: 'a tar without its end', reason: 'ends too early', archive: (good) => rawGzip(rawTar(membersOf(good), 0)) },
  { title: 'a tar with half of its end', reason: 'ends too early', archive: (good) => rawGzip(rawTar(membersOf(good), 1)) },
  {
    title: 'one empty block in the middle',
    reason: 'one empty block in the middle',
    archive: (good) => rawGzip(Buffer.concat([rawTar(membersOf(good).slice(0, 1), 1), rawTar(membersOf(good).slice(1))])),
  },
  { title: 'a path that leads out', reason: 'leads out of its folder', archive: withMember({ name: '../README.md' }) },
  { title: 'a path that leads out in its middle', reason: 'leads out of its folder', archive: withMember({ name: 'charts/../../x' }) },
  { title: 'an absolute path', reason: 'is an absolute path', archive: withMember({ name: '/etc/cron.d/x' }) },
  {
    title: 'an absolute path in two fields',
    reason: /absolute path|header that isthmus does not write/,
    archive: withMember({ name: 'x', prefix: '/etc' }),
  },
  { title: 'a path with a backslash', reason: 'has a character other than', archive: withMember({ name: 'charts\\..\\x' }) },
  { title: 'a path with a drive', reason: 'has a character other than', archive: withMember({ name: 'C:/x' }) },
  { title: 'a path with an escape sequence', reason: 'has a character other than', archive: withMember({ name: 'a\u001b[2Jb' }) },
  { title: 'a path with a line break', reason: 'has a character other than', archive: withMember({ name: 'a\nb' }) },
  { title: 'a path that is not ASCII', reason: 'has a character other than', archive: withMember({ name: 'b\u00fcndel.yaml' }) },
  { title: 'a file without a name', reason: 'without a name', archive: withMember({ name: '' }) },
  { title: 'a path with an empty part', reason: 'has an empty part', archive: withMember({ name: 'charts//x.tgz' }) },
  { title: 'a path with a dot', reason: 'has an empty part or `.`', archive: withMember({ name: './README.md' }) },
  { title: 'a device of Windows', reason: 'some systems read as another', archive: withMember({ name: 'charts/NUL.tgz' }) },
  { title: 'a name that ends in a dot', reason: 'some systems read as another', archive: withMember({ name: 'README.md.' }) },
  { title: 'a symbolic link', reason: 'is a symbolic link', archive: withMember({ name: 'A', kind: '2', link: '/etc/passwd' }) },
  { title: 'a hard link', reason: 'is a hard link', archive: withMember({ name: 'A', kind: '1', link: 'README.md' }) },
  { title: 'a character device', reason: 'is a character device', archive: withMember({ name: 'A', kind: '3' }) },
  { title: 'a block device', reason: 'is a block device', archive: withMember({ name: 'A', kind: '4' }) },
  { title: 'a named pipe', reason: 'is a named pipe', archive: withMember({ name: 'A', kind: '6' }) },
  { title: 'a folder entry', reason: 'is a folder entry', archive: withMember({ name: 'charts/', kind: '5' }) },
  {
    title: 'a pax header that renames',
    reason: 'is a pax header',
    archive: withMember({ name: 'A', kind: 'x', contents: Buffer.from('20 path=../../evil\n') }),
  },
  {
    title: 'a GNU long name',
    reason: 'is a GNU long name',
    archive: withMember({ name: '././@LongLink', kind: 'L', contents: Buffer.from('../../evil\0') }),
  },
  { title: 'a sparse file', reason: 'is a sparse file', archive: withMember({ name: 'A', kind: 'S' }) },
  { title: 'a file of unknown kind', reason: 'is not a regular file', archive: withMember({ name: 'A', kind: '\0' }) },
  { title: 'a set-user-ID file', reason: 'a header that isthmus does not write', archive: withMember({ name: 'A', mode: '0004755' }) },
  { title: 'a file of another owner', reason: 'a header that isthmus does not write', archive: withMember({ name: 'A', uid: '0001750' }) },
  {
    title: 'a file with a name of its owner',
    reason: 'a header that isthmus does not write',
    archive: withMember({ name: 'A', owner: 'root' }),
  },
  {
    title: 'a header with a wrong sum',
    reason: 'a header that isthmus does not write',
    archive: withMember({ name: 'A', sum: '000000\0 ' }),
  },
  {
    title: 'a size in base 256',
    reason: 'a header that isthmus does not write',
    archive: withMember({ name: 'A', size: '\u0080\0\0\0\0\0\0\0\0\0\u0001' }),
  },
  { title: 'a size below zero', reason: 'a header that isthmus does not write', archive: withMember({ name: 'A', size: '-0000000001' }) },
  {
    title: 'a size of more than there is',
    reason: /ends too early|is larger than/,
    archive: (good) => rawGzip(rawTar([{ name: 'README.md', size: '00777777777' }, ...membersOf(good)])),
  },
  {
    title: 'the magic of another tar',
    reason: 'a header that isthmus does not write',
    archive: withMember({ name: 'A', magic: 'ustar  \0' }),
  },
  {
    title: 'a file that comes with another time',
    reason: 'has another time',
    archive: (good) => rawGzip(rawTar(membersOf(good).map((member, at) => (at === 1 ? { ...member, mtime: '00000000001' } : member)))),
  },
  {
    title: 'bytes between two files',
    reason: 'bytes that belong to no file',
    archive: (good) => rawGzip(rawTar(membersOf(good).map((member, index) => (index === 0 ? { ...member, padding: 'x' } : member)))),
  },
  {
    title: 'a file twice',
    reason: 'is there twice',
    archive: (good) => rawGzip(rawTar(membersOf(good).flatMap((member, index) => (index === 0 ? [member, member] : [member])))),
  },
  { title: 'two names that differ in case', reason: 'in case alone', archive: (good) => packed([...good, text('readme.md')]) },
  {
    title: 'two folders that differ in case',
    reason: 'in case alone',
    archive: (good) => packed([...good, text('values/CLUSTER1/x.yaml')]),
  },
  { title: 'a file that is also a folder', reason: 'both a file and a folder', archive: (good) => packed([...good, text('README.md/x')]) },
  {
    title: 'files in another order',
    reason: 'not in the order of paths',
    archive: (good) => rawGzip(rawTar(membersOf(good).toReversed())),
  },
  {
    title: 'a bomb of one file',
    reason: 'is larger than',
    archive: (good) =>
      packed(good.map((entry) => (entry.path === 'plan.yaml' ? { ...entry, contents: Buffer.alloc(65 * 2 ** 20) } : entry))),
  },
  {
    title: 'a bomb that only says its size',
    reason: 'is larger than',
    archive: () => rawGzip(rawTar([{ name: 'README.md', size: '77777777777' }])),
  },
  {
    title: 'a file that no bundle has',
    reason: 'is not a file of a bundle',
    archive: (good) => packed(resealed([...good, text('extra.txt')])),
  },
  {
    title: 'a script in the wrong place',
    reason: 'is not a file of a bundle',
    archive: (good) => packed(resealed([...good, text('charts/install.sh')])),
  },
  {
    title: 'an executable file that is none',
    reason: 'must not be executable',
    archive: (good) => packed(good.map((entry) => (entry.path === 'mesh.yaml' ? { ...entry, executable: true } : entry))),
  },
];

function flipped(bytes: Buffer, at: number): Buffer {
  const index = at < 0 ? bytes.length + at : at % bytes.length;
  bytes[index] = (bytes[index] ?? 0) ^ 0x55;
  return bytes;
}
