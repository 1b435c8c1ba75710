// Signatures of bundles by real keys: whose they are, that they hold for this bundle alone, and that a key gives the same one twice.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IsthmusError } from '../../src/base/errors.ts';
import { bundleEntries } from '../../src/bundle/pack.ts';
import { checkSignature, signManifest } from '../../src/bundle/signature.ts';
import { writeBundle } from '../../src/bundle/write.ts';
import { runProgram } from '../../src/commands/program.ts';
import { createSystem } from '../../src/system/index.ts';
import { documents, mtime, prepared } from '../helpers/bundles.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { fakeSystem } from '../helpers/system.ts';
import { toolPath } from '../helpers/tools.ts';

const manifest = 'kind: Bundle\n';

describe('signatures of bundles', ({ test, before, after }) => {
  let folder = '';
  const path = (name: string) => join(folder, name);
  const real = createSystem();
  const system = () => ({ ...fakeSystem(), files: real.files, exec: real.exec, env: { TMPDIR: folder }, cwd: folder });
  const said = async (body: () => unknown) => {
    const error = await thrownBy(body);
    assert.ok(error instanceof IsthmusError, String(error));
    return `${error.kind}: ${error.message}`;
  };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-signature-'));
    for (const name of ['mine', 'other'])
      execFileSync(toolPath('ssh-keygen'), ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', path(name)]);
    writeFileSync(path('signers'), `release@corp.example namespaces="isthmus-bundle" ${readFileSync(path('mine.pub'), 'utf8')}`);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('are the same for the same key and file, and tell whose they are', async () => {
    const signature = await signManifest(system(), path('mine'), manifest);

    const signer = await checkSignature(system(), { manifest, signature, allowed: path('signers') });
    const anyone = await checkSignature(system(), { manifest, signature, allowed: undefined });

    assert.is(await signManifest(system(), path('mine'), manifest), signature);
    assert.is(signer.principal, 'release@corp.example');
    assert.match(signer.key, /^SHA256:/);
    assert.equal(anyone, { key: signer.key, principal: undefined });
  });

  test('are refused for another file, by another key, made for something else, or when they are none', async () => {
    const signature = await signManifest(system(), path('mine'), manifest);
    const others = await signManifest(system(), path('other'), manifest);
    writeFileSync(path('mail'), manifest);
    execFileSync(toolPath('ssh-keygen'), ['-q', '-Y', 'sign', '-f', path('mine'), '-n', 'email', path('mail')], { stdio: 'ignore' });
    const check = (text: string, by: string) => () => checkSignature(system(), { manifest: text, signature: by, allowed: path('signers') });

    assert.match(await said(check('kind: Other\n', signature)), 'findings: is no signature of bundle.yaml');
    assert.match(await said(check(manifest, others)), /findings: was made with SHA256:\S+, which is not among the allowed signers/);
    assert.match(await said(check(manifest, readFileSync(path('mail.sig'), 'utf8'))), 'findings: is no signature of bundle.yaml');
    assert.match(await said(check(manifest, 'x')), 'findings: is no signature of bundle.yaml');
  });

  test('need a key that is there, and no passphrase is asked for', async () => {
    assert.match(await said(() => signManifest(system(), path('missing'), manifest)), 'failed: ssh-keygen could not sign');
  });

  test('are asked for by isthmus bundle verify', async () => {
    const bundle = await prepared();
    const entries = await bundleEntries(bundle, { documents, images: bundle.images, oci: [] });
    await writeBundle(system(), { path: path('signed.tgz'), entries, mtime, signWith: path('mine') });
    await writeBundle(system(), { path: path('plain.tgz'), entries, mtime });
    const verify = async (...argv: string[]) => {
      const run = system();
      await runProgram(run, ['bundle', 'verify', ...argv]);
      return run.output().out;
    };

    assert.match(await verify('signed.tgz', '--allowed-signers', 'signers'), 'It is signed by release@corp.example with SHA256:');
    assert.match(await verify('signed.tgz'), '--allowed-signers checks whose key that is');
    assert.match(await verify('plain.tgz'), 'It is not signed.');
    assert.match(await said(() => verify('plain.tgz', '--allowed-signers', 'signers')), 'findings: is not signed');
    assert.equal(
      readdirSync(folder).filter((name) => name.startsWith('isthmus-signature')),
      [],
    );
  });
});
