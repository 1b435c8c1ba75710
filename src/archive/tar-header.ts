// The header of a file in a ustar archive (POSIX.1-1988), in the one form that isthmus writes and accepts.
import { shortText } from '../base/names.ts';
import { archiveError } from './errors.ts';

/** Bytes of a header, and the unit that contents are padded to. */
export const blockSize = 512;

const maxOctal = 8 ** 11 - 1;
const maxName = 100;
const maxPrefix = 155;

export interface TarHeader {
  readonly path: string;
  /** Bytes, below 8 GiB. */
  readonly size: number;
  readonly executable: boolean;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/**
 * A header of 512 bytes: a regular file of mode 0644 or 0755, owned by number 0 without names.
 * @throws IsthmusError when path, size or time do not fit into ustar's fields
 */
export function encodeHeader(header: TarHeader): Uint8Array {
  const [prefix, name] = splitPath(header.path);
  const block = Buffer.alloc(blockSize);
  block.write(name, 0, 'latin1');
  block.write(header.executable ? '0000755' : '0000644', 100, 'latin1');
  block.write('0000000', 108, 'latin1');
  block.write('0000000', 116, 'latin1');
  block.write(octal(header.size, header.path, 'is larger than 8 GiB, which an archive cannot hold'), 124, 'latin1');
  block.write(octal(header.mtime, header.path, 'has a time that an archive cannot hold'), 136, 'latin1');
  block.fill(' ', 148, 156);
  block.write('0', 156, 'latin1');
  block.write('ustar\0' + '00', 257, 'latin1');
  block.write('0000000', 329, 'latin1');
  block.write('0000000', 337, 'latin1');
  block.write(prefix, 345, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/**
 * Reads a header and refuses every form but that of `encodeHeader`: links, devices, folders, extensions, owners, other modes.
 * @param block 512 bytes
 */
export function decodeHeader(block: Uint8Array): TarHeader {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  const [prefix, name] = [textAt(bytes, 345, maxPrefix), textAt(bytes, 0, maxName)];
  const path = prefix === '' ? name : `${prefix}/${name}`;
  const shown = shortText(path);
  checkKind(String.fromCharCode(bytes[156] ?? 0), shown);
  const header = {
    path,
    size: numberAt(bytes, 124, shown),
    executable: textAt(bytes, 100, 8) === '0000755',
    mtime: numberAt(bytes, 136, shown),
  };
  // Whatever else a header can say (modes, owners, checksums, second spellings) is said by being other than the one form.
  if (!bytes.equals(encodeHeader(header))) throw archiveError('has a header that isthmus does not write', shown);
  return header;
}

const kinds: Readonly<Record<string, string>> = {
  '1': 'is a hard link',
  '2': 'is a symbolic link',
  '3': 'is a character device',
  '4': 'is a block device',
  '5': 'is a folder entry; folders follow from their files',
  '6': 'is a named pipe',
  '7': 'is a contiguous file',
  g: 'is a pax header; names and sizes that need one are not accepted',
  x: 'is a pax header; names and sizes that need one are not accepted',
  L: 'is a GNU long name, which is not accepted',
  K: 'is a GNU long link, which is not accepted',
  S: 'is a sparse file',
};

function checkKind(kind: string, shown: string): void {
  if (kind !== '0') throw archiveError(kinds[kind] ?? 'is not a regular file', shown);
}

/** ustar holds 100 bytes of name and, before a slash, 155 of prefix. */
function splitPath(path: string): readonly [prefix: string, name: string] {
  if (path.length <= maxName) return ['', path];
  const slash = path.indexOf('/', path.length - maxName - 1);
  if (slash <= 0 || slash > maxPrefix || slash === path.length - 1)
    throw archiveError('is a path too long for an archive', shortText(path));
  return [path.slice(0, slash), path.slice(slash + 1)];
}

function octal(value: number, path: string, problem: string): string {
  if (!Number.isInteger(value) || value < 0 || value > maxOctal) throw archiveError(problem, shortText(path));
  return value.toString(8).padStart(11, '0');
}

function textAt(bytes: Buffer, offset: number, length: number): string {
  const field = bytes.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? length : end);
}

function numberAt(bytes: Buffer, offset: number, shown: string): number {
  const text = textAt(bytes, offset, 12);
  if (!/^[0-7]{11}$/.test(text)) throw archiveError('has a header that isthmus does not write', shown);
  return Number.parseInt(text, 8);
}
