// The images that every node of the lab has: pause, tools (what route-installer needs) and app (stand-ins for BookInfo).
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { toolFolder, toolPath } from '../../helpers/tools.ts';
import { packFiles, packFolder, writeImageArchive } from '../image-archive.ts';

const run = promisify(execFile);

/** References of the images, for pods of tests and for `routes.image` of a mesh. */
export const labImages = { pause: 'lab.local/pause:1', tools: 'lab.local/tools:1', app: 'lab.local/app:1' } as const;

/** Where `isthmus demo bookinfo` finds stand-ins of BookInfo's images, by the names and the tag of the real ones. */
export const bookinfoHub = 'lab.local/bookinfo';
const bookinfoNames = ['details-v1', 'ratings-v1', 'reviews-v1', 'reviews-v2', 'reviews-v3', 'productpage-v1'];

/** Makes the archives that are not in the cache yet, and returns the paths of all. */
export async function buildNodeImages(): Promise<string[]> {
  const folder = join(dirname(toolFolder()), 'images');
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, '.work-'));
  try {
    const app = await buildApp(work);
    const entry = ['/usr/local/bin/app'];
    const bookinfo = { inputs: [app], config: { Entrypoint: [...entry, 'bookinfo'] }, pack: packApp(app) };
    const [first = '', ...others] = bookinfoNames.map((name) => `${bookinfoHub}/examples-bookinfo-${name}:1.20.3`);
    return [
      await archive(folder, first, { ...bookinfo, alsoKnownAs: others }),
      await archive(folder, labImages.pause, { inputs: [app], config: { Entrypoint: [...entry, 'pause'] }, pack: packApp(app) }),
      await archive(folder, labImages.app, { inputs: [app], config: { Entrypoint: entry }, pack: packApp(app) }),
      await archive(folder, labImages.tools, { inputs: await toolFiles(), config: { Cmd: ['/bin/sh'] }, pack: packTools }),
    ];
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

interface Recipe {
  /** Files that the image is made from; their contents name the archive. */
  readonly inputs: readonly string[];
  readonly alsoKnownAs?: readonly string[];
  readonly config: { readonly Entrypoint?: readonly string[]; readonly Cmd?: readonly string[] };
  readonly pack: (layer: string, inputs: readonly string[]) => Promise<void>;
}

async function archive(folder: string, reference: string, { inputs, alsoKnownAs = [], config, pack }: Recipe): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([reference, alsoKnownAs, config]));
  for (const input of inputs) hash.update(input.startsWith(folder) ? '' : input).update(readFileSync(input));
  const path = join(folder, `${reference.replace(/^.*\/(.*):.*$/, '$1')}-${hash.digest('hex').slice(0, 12)}.tar`);
  if (existsSync(path)) return path;
  const layer = `${path}.layer-${process.pid}`;
  try {
    await pack(layer, inputs);
    await writeImageArchive(path, { reference, alsoKnownAs, layers: [layer], config });
  } finally {
    rmSync(layer, { force: true });
  }
  return path;
}

async function buildApp(work: string): Promise<string> {
  const app = join(work, 'app');
  const env = { ...process.env, CGO_ENABLED: '0' };
  const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', app, '.'];
  await run('go', args, { env, cwd: join(import.meta.dirname, '..', 'app') });
  return app;
}

function packApp(app: string): Recipe['pack'] {
  return (layer) => packFiles(layer, { 'usr/local/bin/app': app });
}

/** Like Istio's own image: dash, mawk, iproute2, ping and curl as Debian has them; BusyBox for the rest. */
async function toolFiles(): Promise<string[]> {
  const programs = (['dash', 'mawk', 'ip', 'ping', 'curl'] as const).map((name) => toolPath(name));
  const libraries = new Set<string>();
  for (const program of programs)
    for (const [, path] of (await run('ldd', [program])).stdout.matchAll(/(\/\S+) \(0x/g)) libraries.add(path ?? '');
  return [toolPath('busybox'), ...programs, ...[...libraries].sort()];
}

async function packTools(layer: string, files: readonly string[]): Promise<void> {
  const root = mkdtempSync(`${layer}-root-`);
  try {
    for (const folder of ['bin', 'etc', 'tmp', 'run']) mkdirSync(join(root, folder));
    writeFileSync(join(root, 'etc', 'passwd'), 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n');
    for (const file of files) place(root, file);
    await linkApplets(root);
    await packFolder(layer, root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Programs go into /bin, libraries where the loader looks for them. */
function place(root: string, file: string): void {
  const target = join(root, file.includes('/lib') ? file : join('bin', basename(file)));
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(file, target);
}

async function linkApplets(root: string): Promise<void> {
  const named = { sh: 'dash', awk: 'mawk' };
  for (const [link, program] of Object.entries(named)) symlinkSync(program, join(root, 'bin', link));
  const { stdout } = await run(toolPath('busybox'), ['--list']);
  for (const applet of stdout.trim().split('\n'))
    if (!existsSync(join(root, 'bin', applet))) symlinkSync('busybox', join(root, 'bin', applet));
}
