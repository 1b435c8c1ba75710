// verify.sh of an unpacked bundle: a POSIX shell and sha256sum tell whether anything was changed, lost or added.
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleDocuments } from '../../src/bundle/documents.ts';
import { bundleEntries } from '../../src/bundle/pack.ts';
import { writeBundle } from '../../src/bundle/write.ts';
import { createSystem } from '../../src/system/index.ts';
import { mtime, prepared } from '../helpers/bundles.ts';
import { assert, describe } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';

const root = join(import.meta.dirname, '..', '..');

describe('verify.sh of a bundle', ({ test, before, after }) => {
  const system = createSystem();
  let folder = '';
  let archive = '';

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-verify-sh-'));
    archive = join(folder, 'bundle.tgz');
    execFileSync(toolPath('ssh-keygen'), ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', join(folder, 'key')]);
    const bundle = await prepared();
    const templates = Object.fromEntries(
      await Promise.all(
        ['bundle-README.md.hbs', 'bundle-verify.sh.hbs', 'bundle-install.sh.hbs'].map(
          async (name) => [name, await system.files.read(join(root, 'templates', name))] as const,
        ),
      ),
    );
    const documents = bundleDocuments(bundle, { images: bundle.images, oci: false, templates });
    const entries = await bundleEntries(bundle, { documents, images: bundle.images, oci: [] });
    await writeBundle(system, { path: archive, entries, mtime, signWith: join(folder, 'key') });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const unpacked = () => {
    const target = mkdtempSync(join(folder, 'unpacked-'));
    execFileSync('tar', ['-xzf', archive, '-C', target]);
    return target;
  };
  const verify = (target: string, args: readonly string[] = [], shell = [toolPath('dash')]) => {
    const [program = '', ...first] = shell;
    const { status, stdout, stderr } = spawnSync(program, [...first, join(target, 'verify.sh'), ...args], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], TZ: 'Asia/Tokyo', LC_ALL: 'tr_TR.UTF-8' },
    });
    return { status, stdout, stderr };
  };

  test('passes a bundle as tar unpacks it, in dash and in BusyBox', () => {
    const target = unpacked();

    for (const shell of [[toolPath('dash')], [toolPath('busybox'), 'sh']])
      assert.equal(verify(target, [], shell), { status: 0, stdout: 'Every file is as it was made.\n', stderr: '' });
  });

  test('names what was changed, lost or added', () => {
    const changes: readonly (readonly [change: (target: string) => void, said: string])[] = [
      [(target) => appendFileSync(join(target, 'mesh.yaml'), '#\n'), 'mesh.yaml: FAILED'],
      [(target) => unlinkSync(join(target, 'plan.yaml')), 'plan.yaml'],
      [(target) => writeFileSync(join(target, 'manifests/cluster1/00-more.yaml'), ''), 'manifests/cluster1/00-more.yaml'],
      [(target) => symlinkSync('/etc/passwd', join(target, 'values/link')), './values/link'],
      [(target) => appendFileSync(join(target, 'checksums.txt'), `${'0'.repeat(64)}  x\n`), 'not the one that bundle.yaml was made with'],
      [(target) => unlinkSync(join(target, 'bundle.yaml')), 'bundle.yaml is missing'],
    ];

    for (const [change, said] of changes) {
      const target = unpacked();
      change(target);
      const { status, stderr } = verify(target);
      assert.is(status, 1, said);
      assert.match(stderr, said);
    }
  });

  test('says who signed it, and refuses everyone else', () => {
    const target = unpacked();
    const publicKey = execFileSync(toolPath('ssh-keygen'), ['-y', '-f', join(folder, 'key')], { encoding: 'utf8' });
    writeFileSync(join(folder, 'signers'), `release@corp.example ${publicKey}`);
    writeFileSync(join(folder, 'nobody'), '');

    assert.match(verify(target, ['--allowed-signers', join(folder, 'signers')]).stdout, 'Signed by release@corp.example');
    assert.match(verify(target, ['--allowed-signers', join(folder, 'nobody')]).stderr, 'the signature is of no one in');
    unlinkSync(join(target, 'bundle.yaml.sig'));
    assert.match(verify(target, ['--allowed-signers', join(folder, 'signers')]).stderr, 'the bundle is not signed');
  });

  test('pleases shellcheck', () => {
    execFileSync(toolPath('shellcheck'), ['-s', 'sh', join(unpacked(), 'verify.sh')], { encoding: 'utf8' });
  });
});
