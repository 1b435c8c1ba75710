// Folders of secrets: readable by their owner alone from the first byte, and never half there.
import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { failure, messageOf } from '../base/errors.ts';
import type { PrivateFiles } from './types.ts';

const ownerOnly = { folder: 0o700, file: 0o600 } as const;

/** The real file system. */
export function createPrivateFiles(): PrivateFiles {
  return { create: async (folder, contents) => createFolder(folder, contents) };
}

/** A rename puts a folder in the place of nothing or of an empty one, and fails where there is more. */
function createFolder(folder: string, contents: Readonly<Record<string, string>>): void {
  const temporary = join(dirname(folder), `.${randomUUID()}.tmp`);
  try {
    mkdirSync(dirname(folder), { recursive: true, mode: ownerOnly.folder });
    mkdirSync(temporary, { mode: ownerOnly.folder });
    for (const [path, text] of Object.entries(contents)) {
      mkdirSync(dirname(join(temporary, path)), { recursive: true, mode: ownerOnly.folder });
      writeFileSync(join(temporary, path), text, { flag: 'wx', mode: ownerOnly.file });
    }
    renameSync(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw failure(`cannot be made: ${reasonOf(error)}`, { where: folder, cause: error });
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR' ? 'there is something already' : messageOf(error);
}
