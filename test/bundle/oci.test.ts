// Images in a bundle: copied by a program that writes a layout as skopeo does, checked down to the last layer, and refused when one is missing.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ArchiveEntry } from '../../src/archive/types.ts';
import { IsthmusError } from '../../src/base/errors.ts';
import { type CopyDeps, copyImages } from '../../src/bundle/copy-images.ts';
import { ociFiles } from '../../src/bundle/oci-layout.ts';
import { readBundle } from '../../src/bundle/read.ts';
import { createFiles } from '../../src/system/files.ts';
import { entriesOf, membersOf, prepared, proxy, rawGzip, rawTar, replaced, resealed, textOf } from '../helpers/bundles.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { fakeSystem, type RecordedCommand } from '../helpers/system.ts';

const ok = { code: 0, stdout: '', stderr: '' };

describe('images in a bundle', ({ test, before, after }) => {
  const files = createFiles();
  let folder = '';
  let good: readonly ArchiveEntry[] = [];
  let commands: RecordedCommand[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-oci-'));
    const bundle = await prepared();
    const { images, entries } = await copyImages(deps(), {
      images: bundle.images,
      folder: join(folder, 'good'),
      onProgress: () => undefined,
    });
    good = await entriesOf({ ...bundle, images }, { images, oci: entries });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** A machine with this program, which writes an image of two platforms. */
  function deps(program = 'skopeo', copied: (target: string) => string = writeLayout): CopyDeps {
    const system = fakeSystem({
      exec: (command) => {
        if (command.program !== program) throw new IsthmusError('failed', `${command.program} was not found`);
        const target = command.args.at(-1)?.replace(/^oci:/, '') ?? '';
        if (command.args.length > 1) copied(target);
        return ok;
      },
    });
    commands = system.commands;
    return { ...system, files, env: { REGISTRY_AUTH_FILE: '/home/me/auth.json', SECRET: 'no' } };
  }

  const copied = async (program?: string, write?: (target: string) => string, image = proxy) => {
    const lock = {
      image,
      sources: ['chart' as const],
      consumers: ['x'],
      ...(image.includes('@') ? { digest: image.split('@')[1] ?? '' } : {}),
    };
    const said: string[] = [];
    const target = mkdtempSync(join(folder, 'copy-'));
    const images = { apiVersion: 'isthmus/v1' as const, kind: 'ImageLock' as const, images: [lock] };
    const result = await copyImages(deps(program, write), { images, folder: target, onProgress: (text) => said.push(text) });
    return { ...result, said };
  };
  const read = (entries: readonly ArchiveEntry[]) => {
    writeFileSync(join(folder, 'bundle.tgz'), rawGzip(rawTar(membersOf(entries))));
    return readBundle(files, join(folder, 'bundle.tgz'));
  };
  const refusal = async (entries: readonly ArchiveEntry[]) => {
    const error = await thrownBy(() => read(resealed(entries)));
    assert.ok(error instanceof IsthmusError && error.kind === 'findings', String(error));
    return `${error.where}: ${error.message}`;
  };
  const blob = (part: string) =>
    good.find(({ path, contents }) => path.includes('/blobs/') && Buffer.from(contents).includes(part))?.path ?? '';

  test('are copied by skopeo with all platforms, their digests and the credentials of the user', async () => {
    const { images, said } = await copied('skopeo');

    assert.equal(commands.at(-1)?.args.slice(0, 4), ['copy', '--all', '--preserve-digests', `docker://${proxy}`]);
    assert.equal(commands.at(-1)?.options.env, { REGISTRY_AUTH_FILE: '/home/me/auth.json' });
    assert.match(images.images[0]?.digest ?? '', /^sha256:[0-9a-f]{64}$/);
    assert.equal(Object.keys(images.images[0]?.platforms ?? {}), ['linux/amd64', 'linux/arm64/v8']);
    assert.equal(said, [`image 1 of 1: ${proxy}`]);
  });

  test('are copied by crane where skopeo is not', async () => {
    await copied('crane');

    assert.equal(commands.at(-1)?.args.slice(0, 3), ['pull', '--format=oci', proxy]);
  });

  test('are refused when they are not what their digest says, or nothing of one image was copied', async () => {
    const wanted = `registry.istio.io/release/proxyv2@sha256:${'0'.repeat(64)}`;

    assert.match(String(await thrownBy(() => copied('skopeo', writeLayout, wanted))), 'not what its digest says');
    assert.match(
      String(await thrownBy(() => copied('skopeo', (target) => write(target, 'index.json', '{"manifests":[]}')))),
      'exactly one image',
    );
    assert.match(String(await thrownBy(() => copied('skopeo', (target) => write(target, 'index.json', 'x')))), 'is not an image index');
  });

  test('are read back whole', async () => {
    const bundle = await read(good);

    assert.is(bundle.manifest.images, 'oci');
    assert.match(bundle.texts.get(ociFiles.index) ?? '', `"org.opencontainers.image.ref.name":"${proxy}"`);
    assert.is([...bundle.files.keys()].filter((path) => path.includes('/blobs/')).length, 7);
  });

  test('are refused without one of their layers, with a blob more, or with one that was changed', async () => {
    const layer = blob('layer of linux/arm64/v8');
    const more = `images/oci/blobs/sha256/${createHash('sha256').update('more').digest('hex')}`;

    assert.match(await refusal(good.filter(({ path }) => path !== layer)), `${layer}: is missing`);
    assert.match(await refusal(replaced(good, more, 'more')), 'belongs to no image');
    assert.match(await refusal(replaced(good, layer, 'layer of someone else')), 'is not what its name says');
  });

  test('are refused when their index names another image, another digest, or says anything else', async () => {
    const index = textOf(good, ociFiles.index);

    assert.match(await refusal(replaced(good, ociFiles.index, index.replace('proxyv2', 'evil'))), 'by the digest of the lock');
    assert.match(
      await refusal(replaced(good, ociFiles.index, index.replace(/sha256:[0-9a-f]{64}/, `sha256:${'0'.repeat(64)}`))),
      'by the digest of the lock',
    );
    assert.match(await refusal(replaced(good, ociFiles.index, index.replace('{', '{"x":1,'))), 'names other images');
    assert.match(await refusal(replaced(good, ociFiles.layout, '{"imageLayoutVersion":"9"}')), 'of another version');
    assert.match(await refusal(good.filter(({ path }) => path !== ociFiles.layout)), 'oci-layout');
  });

  test('leave nothing but what was asked for', () => {
    assert.equal(
      readdirSync(folder).filter((name) => !/^(copy-|good|bundle\.tgz)/.test(name)),
      [],
    );
  });
});

function write(target: string, name: string, text: string): string {
  mkdirSync(join(target, 'blobs', 'sha256'), { recursive: true });
  writeFileSync(join(target, name), text);
  return text;
}

function writeBlob(target: string, mediaType: string, text: string) {
  const hex = createHash('sha256').update(text).digest('hex');
  write(target, join('blobs', 'sha256', hex), text);
  return { mediaType: `application/vnd.oci.image.${mediaType}`, digest: `sha256:${hex}`, size: text.length };
}

/** An image of two platforms, with an index over them. */
function writeLayout(target: string): string {
  const manifests = [
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm64', variant: 'v8' },
  ].map((platform) => {
    const config = writeBlob(target, 'config.v1+json', JSON.stringify(platform));
    const layers = [writeBlob(target, 'layer.v1.tar', `layer of ${Object.values(platform).join('/')}`)];
    return { ...writeBlob(target, 'manifest.v1+json', JSON.stringify({ schemaVersion: 2, config, layers })), platform };
  });
  const index = writeBlob(target, 'index.v1+json', JSON.stringify({ schemaVersion: 2, manifests }));
  return write(target, 'index.json', JSON.stringify({ schemaVersion: 2, manifests: [index] }));
}
