// What containerd makes of images, unpacked once and kept in the cache: every node starts with hard links to it, in no time.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { toolFolder } from '../../helpers/tools.ts';
import { startMachine } from './machine.ts';
import { runtimeRoot, startRuntime } from './runtime.ts';

const run = promisify(execFile);

/**
 * Makes the store of these archives, if the cache does not have it, on a machine of its own, and returns its folder.
 * @param lab folder of the lab
 * @param archives paths of image archives; the name of each tells what is in it
 */
export async function buildImageStore(lab: string, archives: readonly string[]): Promise<string> {
  const names = archives.map((path) => basename(path)).sort();
  const id = createHash('sha256').update(names.join('\n')).digest('hex').slice(0, 12);
  const stores = join(dirname(toolFolder()), 'image-stores');
  const store = join(stores, id);
  if (existsSync(store)) return store;
  const machine = await startMachine({ name: 'image-store', lab, keep: false });
  const { importImage } = await startRuntime(machine);
  for (const archive of archives) await importImage(archive);
  await machine.stop();
  const partial = `${store}.partial-${process.pid}`;
  mkdirSync(stores, { recursive: true });
  await run('mv', [runtimeRoot(machine), partial]);
  if (existsSync(store)) rmSync(partial, { recursive: true });
  else renameSync(partial, store);
  rmSync(machine.folder, { recursive: true });
  return store;
}

/** Gives a node the images of a store, before its containerd starts for the first time. */
export async function linkImageStore(store: string, root: string): Promise<void> {
  mkdirSync(dirname(root), { recursive: true });
  const sameDisk = statSync(store).dev === statSync(dirname(root)).dev;
  await run('cp', [sameDisk ? '-al' : '-a', store, root]);
  // Blobs and layers are never changed, but the records of what is there are.
  const records = readdirSync(store, { recursive: true, encoding: 'utf8' }).filter((name) => /^[^/]+\/[^/]+\.db$/.test(name));
  for (const name of records) await run('cp', ['--remove-destination', join(store, name), join(root, name)]);
}
