// Archives as data: entries that are written or read, and the limits of reading one from outside.

/** A stream of bytes in chunks of any size. */
export type ByteStream = AsyncIterable<Uint8Array>;

/** One regular file held in memory. */
export interface ArchiveEntry {
  /** Relative path with `/`; see `checkPath`. */
  readonly path: string;
  readonly contents: Uint8Array;
  readonly executable?: boolean;
}

/** One regular file whose bytes come when they are needed, so that archives may be larger than memory. */
export interface ArchiveSource {
  readonly path: string;
  /** Bytes; `open` must give exactly as many. */
  readonly size: number;
  readonly executable?: boolean;
  open(): ByteStream;
}

/** One file met while an archive is read. Its contents can be read once, before the next file; what is left unread is skipped. */
export interface ArchivedFile {
  readonly path: string;
  readonly size: number;
  readonly executable: boolean;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly contents: ByteStream;
}

/** What an archive from outside may hold at most; the first one above stops the reading. */
export interface ArchiveLimits {
  readonly maxFiles: number;
  /** Bytes of one file, unpacked. */
  readonly maxFileBytes: number;
  /** Bytes of all files together, unpacked. */
  readonly maxTotalBytes: number;
}

export interface ArchiveOptions {
  /** Modification time of every file, whole seconds since 1970. */
  readonly mtime: number;
}
