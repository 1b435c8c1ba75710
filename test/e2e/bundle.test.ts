// Bundles by the built CLI: the same bytes wherever, whenever and by whomever they are made, and images by digest for all platforms.
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readBundle } from '../../src/bundle/read.ts';
import { createFiles } from '../../src/system/files.ts';
import type { Helm } from '../helpers/helm.ts';
import { isthmusCommand, type Outcome, shellEnvironment, startIn, succeeded } from '../helpers/shell.ts';
import { assert, describe } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';
import { pushImage } from '../lab/push-image.ts';
import { type Registry, startRegistry } from '../lab/registry.ts';

/** Who makes a bundle, and where. */
interface Maker {
  readonly folder: string;
  readonly helm: Helm;
  readonly umask: string;
  readonly env?: Readonly<Record<string, string>>;
}

describe('bundles by the built CLI', ({ test, before, after }) => {
  let folder = '';
  let registry: Registry | undefined;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-bundle-'));
    await succeeded(
      startIn({ folder, env: environment('helm4') }, isthmusCommand('demo', '--istio', '1.30.3', '--out', 'out')),
      'isthmus demo',
    );
  });
  after(async () => {
    await registry?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What a user has: helm, crane and the system's programs. */
  function environment(helm: Helm, extra: Readonly<Record<string, string>> = {}): Record<string, string> {
    const programs = { helm: toolPath(helm), crane: toolPath('crane') };
    return { ...shellEnvironment(folder, { bin: `with-${helm}`, programs, kubeconfigs: [] }), ...extra };
  }

  async function bundle(maker: Maker, ...args: string[]): Promise<Outcome> {
    const command = ['sh', '-c', `umask ${maker.umask}; exec "$@"`, 'sh', ...isthmusCommand('bundle', ...args)];
    return succeeded(startIn({ folder: maker.folder, env: environment(maker.helm, maker.env) }, command), 'isthmus bundle');
  }

  const here = (): Maker => ({ folder, helm: 'helm4', umask: '022' });

  test('compare equal with cmp from another folder, time zone, umask, locale, home and helm', async () => {
    const elsewhere = join(folder, 'some where', '\u00e9lse');
    // Written in another order, at another time, with other modes.
    for (const name of readdirSync(join(folder, 'out')).reverse())
      cpSync(join(folder, 'out', name), join(elsewhere, 'out', name), { recursive: true });
    chmodSync(join(elsewhere, 'out', 'mesh.yaml'), 0o600);
    const env = { TZ: 'Pacific/Chatham', LC_ALL: 'tr_TR.UTF-8', LANG: 'ar_EG.UTF-8', HOME: elsewhere, USER: 'someone', LOGNAME: 'someone' };

    await bundle(here(), 'out', '--out', 'first.tgz');
    await bundle({ folder: elsewhere, helm: 'helm3', umask: '077', env }, 'out', '--out', 'second.tgz');

    await succeeded(startIn({ folder, env: environment('helm4') }, ['cmp', 'first.tgz', join(elsewhere, 'second.tgz')]), 'cmp');
    assert.is(statSync(join(elsewhere, 'second.tgz')).mode & 0o777, 0o644);
  });

  test('take their time from SOURCE_DATE_EPOCH, and from nothing else', async () => {
    await bundle({ ...here(), env: { SOURCE_DATE_EPOCH: '1767225600' } }, 'out', '--out', 'dated.tgz');
    const refused = await startIn(
      { folder, env: environment('helm4', { SOURCE_DATE_EPOCH: 'yesterday' }) },
      isthmusCommand('bundle', 'out', '--out', 'never.tgz'),
    ).outcome;

    const dated = await readBundle(createFiles(), join(folder, 'dated.tgz'));
    assert.is(dated.mtime, 1_767_225_600);
    assert.is(dated.manifest.created, '2026-01-01T00:00:00Z');
    assert.match(dated.texts.get('sbom/bundle.spdx.json') ?? '', '"created": "2026-01-01T00:00:00Z"');
    assert.is(refused.code, 2);
    assert.match(refused.stderr, 'SOURCE_DATE_EPOCH is "yesterday"');
    assert.not.ok(readdirSync(folder).includes('never.tgz'));
  });

  test('are verified and inspected without helm, cluster or network', async () => {
    const env = shellEnvironment(folder, { bin: 'with-nothing', programs: {}, kubeconfigs: [] });
    const offline = (...args: string[]) => startIn({ folder, env }, ['unshare', '--net', ...isthmusCommand('bundle', ...args)]);

    const verified = await succeeded(offline('verify', 'first.tgz'), 'isthmus bundle verify');
    const inspected = await succeeded(offline('inspect', 'first.tgz', '-o', 'json'), 'isthmus bundle inspect');

    assert.match(verified.stdout, /^first\.tgz is whole: \d+ files, each as it was made\. It is not signed\.\n$/);
    const summary = JSON.parse(inspected.stdout);
    assert.is(summary.bytes, statSync(join(folder, 'first.tgz')).size);
    assert.equal(
      summary.images.map(({ image }: { readonly image: string }) => image),
      ['registry.istio.io/release/proxyv2:1.30.3'],
    );
    assert.equal(
      summary.clusters.map(({ name }: { readonly name: string }) => name),
      ['cluster1', 'cluster2'],
    );
  });

  test('never take the place of a file that is no bundle', async () => {
    writeFileSync(join(folder, 'thesis.tgz'), 'ten years of work');

    const { code, stderr } = await startIn({ folder, env: environment('helm4') }, isthmusCommand('bundle', 'out', '--out', 'thesis.tgz'))
      .outcome;

    assert.is(code, 1);
    assert.match(stderr, 'is there and is no bundle');
    assert.is(readFileSync(join(folder, 'thesis.tgz'), 'utf8'), 'ten years of work');
  });

  test('say what to do when images are wanted and nothing can copy them', async () => {
    const env = { ...shellEnvironment(folder, { bin: 'with-helm-alone', programs: { helm: toolPath('helm4') }, kubeconfigs: [] }) };
    env['PATH'] = `${join(folder, 'with-helm-alone')}:${dirname(process.execPath)}`;

    const args = ['bundle', 'out', '--images', 'oci', '--out', 'never.tgz'];
    const { code, stderr } = await startIn({ folder, env }, isthmusCommand(...args)).outcome;

    assert.is(code, 1);
    assert.match(stderr, 'neither skopeo nor crane was found');
    assert.match(
      stderr,
      'skopeo copy --all --preserve-digests docker://registry.istio.io/release/proxyv2:1.30.3 docker://MIRROR/proxyv2:1.30.3',
    );
    assert.not.ok(readdirSync(folder).some((name) => name === 'never.tgz' || name.startsWith('.isthmus-images')));
  });

  test(
    'hold the images of all platforms by digest, and are the same bytes twice',
    async () => {
      registry = await startRegistry();
      const digest = await pushImage(registry.host, 'release/proxyv2', '1.30.3', ['linux/amd64', 'linux/arm64']);
      const mirrored = join(folder, 'mirrored');
      cpSync(join(folder, 'out', 'facts'), join(mirrored, 'facts'), { recursive: true });
      const mesh = readFileSync(join(folder, 'out', 'mesh.yaml'), 'utf8').replace(
        /^( +)version: .*$/m,
        (line, margin: string) => `${line}\n${margin}hub: ${registry?.host}/release`,
      );
      writeFileSync(join(mirrored, 'mesh.yaml'), mesh);
      await succeeded(startIn({ folder: mirrored, env: environment('helm4') }, isthmusCommand('generate')), 'isthmus generate');

      const { stderr } = await bundle({ ...here(), folder: mirrored }, '--images', 'oci', '--out', 'first.tgz');
      await bundle({ ...here(), folder: mirrored, env: { TMPDIR: mirrored } }, '--images', 'oci', '--out', 'second.tgz');

      assert.match(stderr, `image 1 of 1: ${registry.host}/release/proxyv2:1.30.3`);
      assert.ok(readFileSync(join(mirrored, 'first.tgz')).equals(readFileSync(join(mirrored, 'second.tgz'))));
      const { images, files } = await readBundle(createFiles(), join(mirrored, 'first.tgz'));
      assert.is(images.images[0]?.digest, digest);
      assert.equal(Object.keys(images.images[0]?.platforms ?? {}), ['linux/amd64', 'linux/arm64']);
      assert.is(
        [...files.keys()].filter((path) => path.startsWith('images/oci/blobs/')).length,
        1 + 2 * 3,
        'an index, and manifest, config and layer of each platform',
      );
      assert.not.ok(readdirSync(mirrored).some((name) => name.startsWith('.isthmus-images')));
    },
    { timeoutMs: 120_000 },
  );
});
