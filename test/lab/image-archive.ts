// Container images without a registry or a daemon: docker archives made from local files by tar, for `ctr images import`.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What makes two archives of the same files equal to the byte. */
const reproducible = ['--sort=name', '--mtime=@0', '--numeric-owner', '--owner=0', '--group=0', '--format=gnu'];

export interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  /** Numeric `uid:gid`, so that kubelet can see that it is not root. */
  readonly User?: string;
}

export interface ImageArchive {
  /** Reference under which containerd knows it, such as `lab.local/tools:1`. */
  readonly reference: string;
  /** More references of the same image. */
  readonly alsoKnownAs?: readonly string[];
  /** Tar files, lowest first. */
  readonly layers: readonly string[];
  readonly config: ImageConfig;
}

/**
 * Packs files into a layer.
 * @param files local file by absolute path in the image; readable for all, executable when it was; links are followed
 */
export async function packFiles(layer: string, files: Readonly<Record<string, string>>): Promise<void> {
  await inFolderBeside(layer, async (folder) => {
    for (const [inside, local] of Object.entries(files)) {
      const target = join(folder, inside);
      mkdirSync(dirname(target), { recursive: true });
      symlinkSync(resolve(local), target);
    }
    await tar(layer, ['--dereference', '--mode=u=rwX,go=rX', '-C', folder, '.']);
  });
}

/** Packs a folder as it is into a layer, without the paths in `exclude` (relative to it, such as `./proc`). */
export async function packFolder(layer: string, folder: string, exclude: readonly string[] = []): Promise<void> {
  await tar(layer, ['--anchored', ...exclude.map((path) => `--exclude=${path}`), '-C', folder, '.']);
}

/** Writes the archive of one image; an archive that is there is replaced in one step. */
export async function writeImageArchive(archive: string, { reference, alsoKnownAs = [], layers, config }: ImageArchive): Promise<void> {
  await inFolderBeside(archive, async (folder) => {
    const digests = await Promise.all(layers.map(digestOf));
    const image = JSON.stringify({
      architecture: { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch,
      os: 'linux',
      config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], ...config },
      rootfs: { type: 'layers', diff_ids: digests.map((digest) => `sha256:${digest}`) },
    });
    const name = `${createHash('sha256').update(image).digest('hex')}.json`;
    const names = digests.map((digest) => `${digest}.tar`);
    writeFileSync(join(folder, name), image);
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify([{ Config: name, RepoTags: [reference, ...alsoKnownAs], Layers: names }]));
    // Two layers may be the same file.
    for (const [file, layer] of new Map(names.map((each, index) => [each, layers[index] ?? ''])))
      symlinkSync(resolve(layer), join(folder, file));
    await tar(archive, ['--dereference', '-C', folder, '.']);
  });
}

async function tar(file: string, args: readonly string[]): Promise<void> {
  const partial = `${file}.partial-${process.pid}`;
  await run('tar', [...reproducible, '-cf', partial, ...args]);
  renameSync(partial, file);
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

async function inFolderBeside(file: string, work: (folder: string) => Promise<void>): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  const folder = mkdtempSync(join(dirname(resolve(file)), '.image-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
