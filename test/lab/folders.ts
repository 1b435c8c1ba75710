// One folder for each running part of the lab. Whoever made it is written inside, so that a later run knows what a dead one left.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endProcesses, type Identity, isAlive, ownIdentity } from './process.ts';

const hierarchies = '/sys/fs/cgroup';

/** Holds a folder for every running cluster and every fabric of nodes. */
export function labFolder(): string {
  return process.env['ISTHMUS_LAB'] ?? join(tmpdir(), `isthmus-lab-${process.getuid?.() ?? 0}`);
}

/** Makes a folder: one of its own for a test, or the one of this name that is kept until `down`. */
export function makeFolder(name: string, keep: boolean): string {
  mkdirSync(labFolder(), { recursive: true, mode: 0o700 });
  const folder = keep ? join(labFolder(), name) : mkdtempSync(join(labFolder(), `${name}-`));
  if (keep && existsSync(folder)) throw new Error(`${name} is up already; take it down first`);
  if (keep) mkdirSync(folder);
  else writeOwner(folder);
  return folder;
}

/** Whole or not at all: a run that starts at the same moment must not take it for one without an owner. */
function writeOwner(folder: string): void {
  const partial = join(folder, 'owner.partial');
  writeFileSync(partial, JSON.stringify(ownIdentity()));
  renameSync(partial, join(folder, 'owner.json'));
}

/** Removes what is kept and what dead programs left; other programs' folders stay. Returns the folders. */
export async function removeFolders(parent = labFolder()): Promise<string[]> {
  const folders = listFolders(parent).filter((folder) => !hasOwner(folder));
  await Promise.all(folders.map(removeFolder));
  return folders;
}

/** Removes what programs that died have left, and nothing that is kept. */
export async function removeLeftovers(parent = labFolder()): Promise<void> {
  const left = listFolders(parent).filter((folder) => existsSync(join(folder, 'owner.json')) && !hasOwner(folder));
  await Promise.all(left.map(removeFolder));
}

/** Ends the processes of a folder, and removes it with its cgroups. */
export async function removeFolder(folder: string): Promise<void> {
  await endProcesses(folder);
  for (const hierarchy of listFolders(hierarchies)) removeCgroups(join(hierarchy, cgroupOf(folder)));
  removeCgroups(join(hierarchies, cgroupOf(folder)));
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}

/** Name of the cgroup for all containers of a folder, different for every folder of the machine. */
export function cgroupOf(folder: string): string {
  return `isthmus-${createHash('sha256').update(folder).digest('hex').slice(0, 8)}`;
}

/** Removes a cgroup, if it is there, from the bottom up; no process may be in it any more. */
export function removeCgroups(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) removeCgroups(join(path, entry.name));
  rmdirSync(path);
}

function hasOwner(folder: string): boolean {
  try {
    return isAlive(JSON.parse(readFileSync(join(folder, 'owner.json'), 'utf8')) as Identity);
  } catch {
    return false;
  }
}

function listFolders(parent: string): string[] {
  try {
    return readdirSync(parent).map((name) => join(parent, name));
  } catch {
    return [];
  }
}
