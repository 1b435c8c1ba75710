// Signatures of published charts: helm must accept what gpg signed, and cosign must be asked for the right thing.
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IsthmusError } from '../../src/base/errors.ts';
import { packGeneric } from '../../src/publish/packages.ts';
import { publishToRegistry } from '../../src/publish/registry.ts';
import { publishToFolder } from '../../src/publish/repository.ts';
import { cosign, requireSigner } from '../../src/publish/sign.ts';
import type { PublishDeps, PublishedChart } from '../../src/publish/types.ts';
import { createSystem } from '../../src/system/index.ts';
import { helms, runHelm } from '../helpers/helm.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';
import { startRegistry } from '../lab/registry.ts';

const charts = join(import.meta.dirname, '..', '..', 'charts');
const digest = `sha256:${'a'.repeat(64)}`;
const chart: PublishedChart = { name: 'a', version: '1.0.0', outcome: 'published', reference: 'oci://registry.corp/mesh/a', digest };

describe('signatures of charts', ({ test, before, after }) => {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-sign-'));
  const home = join(folder, 'gnupg');
  const bin = join(folder, 'bin');
  const deps: PublishDeps = { ...createSystem(), env: { ...process.env, GNUPGHOME: home, PATH: `${bin}:${process.env['PATH']}` } };
  const keyring = join(folder, 'pubring.gpg');
  const gpg = (...args: readonly string[]) =>
    execFileSync(toolPath('gpg'), ['--homedir', home, '--batch', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });

  before(() => {
    for (const each of [home, bin]) mkdirSync(each, { mode: 0o700 });
    for (const name of ['Other <other@charts.corp>', 'Charts <charts@charts.corp>'])
      gpg('--passphrase', '', '--quick-generate-key', name, 'rsa2048', 'sign', 'never');
    writeFileSync(keyring, gpg('--export', 'charts@charts.corp'));
  });
  after(() => {
    execFileSync('gpgconf', ['--homedir', home, '--kill', 'all']);
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  });

  test('by gpg lie beside the packages, both helms verify them, and publishing again keeps them', async () => {
    const repository = join(folder, 'repo');
    const packages = await packGeneric(deps.files, charts);
    const options = { folder: repository, sign: { with: 'gpg', key: 'charts@charts.corp' } } as const;

    await publishToFolder(packages, options, deps);
    const signed = readFileSync(join(repository, 'istio-remote-0.1.0.tgz.prov'), 'utf8');
    await publishToFolder(packages, options, deps);

    assert.is(readFileSync(join(repository, 'istio-remote-0.1.0.tgz.prov'), 'utf8'), signed);
    for (const helm of helms) {
      for (const { file } of packages) {
        const { code, stdout, stderr } = await runHelm(helm, ['verify', join(repository, file), '--keyring', keyring]);
        assert.is(code, 0, stderr);
        assert.match(stdout, 'Signed by: Charts <charts@charts.corp>');
      }
    }
    appendFileSync(join(repository, 'istio-remote-0.1.0.tgz'), 'x');
    for (const helm of helms)
      assert.is((await runHelm(helm, ['verify', join(repository, 'istio-remote-0.1.0.tgz'), '--keyring', keyring])).code, 1);
  });

  test('by gpg go into a registry with the packages, both helms verify them as they pull, and what was not signed is told', async () => {
    const registry = await startRegistry();
    try {
      const packages = await packGeneric(deps.files, charts);
      const sign = { with: 'gpg', key: 'charts@charts.corp' } as const;
      for (const helm of helms) {
        const own = { ...deps, env: { ...deps.env, ISTHMUS_HELM: toolPath(helm) } };
        const publish = (path: string, more: object) =>
          publishToRegistry(packages, { url: `oci://${registry.host}/${path}`, plainHttp: true, ...more }, own);

        const published = await publish(`signed-${helm}`, { sign });
        const again = await publish(`signed-${helm}`, { sign });
        await publish(`plain-${helm}`, {});
        const late = await publish(`plain-${helm}`, { sign });

        assert.equal(
          published.map(({ outcome, warning }) => [outcome, warning]),
          packages.map(() => ['published', undefined]),
        );
        assert.equal(
          again,
          published.map((each) => ({ ...each, outcome: 'unchanged' })),
        );
        for (const { outcome, warning } of late) {
          assert.is(outcome, 'unchanged');
          assert.match(warning ?? '', 'was published before without a provenance file');
        }
        for (const { reference, version } of published) {
          const args = ['pull', reference, '--version', version, '--verify', '--keyring', keyring, '--plain-http', '--destination', folder];
          const { code, stderr } = await runHelm(helm, args);
          assert.is(code, 0, stderr);
        }
      }
    } finally {
      await registry.stop();
    }
  });

  test('by a key that gpg does not have are an error with its reason', async () => {
    const packages = await packGeneric(deps.files, charts);
    const sign = { with: 'gpg', key: 'nobody@charts.corp' } as const;

    const error = (await thrownBy(() => publishToFolder(packages, { folder: join(folder, 'unsigned'), sign }, deps))) as IsthmusError;

    assert.match(error.message, /^gpg did not sign: .*No secret key/);
    assert.match(error.hint ?? '', '--sign-key names the key');
  });

  test('by cosign are asked for by digest; what it says when it fails is shown', async () => {
    const script = join(bin, 'cosign');
    writeFileSync(script, `#!/bin/sh\necho "$@" >> ${folder}/asked\n[ "$4" != fail ] || { echo no such key >&2; exit 1; }\n`);
    chmodSync(script, 0o755);

    await requireSigner('cosign', deps);
    await cosign(chart, { key: 'awskms:///alias/charts', plainHttp: false }, deps);
    await cosign(chart, { plainHttp: true }, deps);
    const error = (await thrownBy(() => cosign(chart, { key: 'fail', plainHttp: false }, deps))) as IsthmusError;

    assert.equal(readFileSync(join(folder, 'asked'), 'utf8').split('\n').slice(0, 3), [
      'version',
      `sign --yes --key awskms:///alias/charts registry.corp/mesh/a@${digest}`,
      `sign --yes --allow-http-registry registry.corp/mesh/a@${digest}`,
    ]);
    assert.is(error.message, 'cosign did not sign: no such key');
    assert.match(error.hint ?? '', `cosign sign --yes --key fail registry.corp/mesh/a@${digest}`);
  });

  test('need their program before anything is published', async () => {
    const none = { ...deps, env: { PATH: join(folder, 'empty') } };

    for (const signer of ['gpg', 'cosign'] as const) {
      const error = (await thrownBy(() => requireSigner(signer, none))) as IsthmusError;
      assert.is(error.message, `${signer} was not found`);
      assert.match(error.hint ?? '', /^Install (?:GnuPG|cosign)/);
    }
  });
});
