// What registries may answer by way of helm, and what must never pass for "not there yet".
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IsthmusError } from '../../src/base/errors.ts';
import { manifestDigest } from '../../src/publish/manifest.ts';
import { publishToRegistry } from '../../src/publish/registry.ts';
import type { ChartPackage, PublishDeps } from '../../src/publish/types.ts';
import { createFiles } from '../../src/system/files.ts';
import type { ExecResult } from '../../src/system/types.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { fakeSystem, type RecordedCommand } from '../helpers/system.ts';

const url = 'oci://registry.corp/mesh';
const chart: ChartPackage = {
  metadata: {
    name: 'a',
    version: '1.0.0+abc',
    apiVersion: 'v2',
    annotations: { 'org.opencontainers.image.created': '1980-01-01T00:00:00Z' },
  },
  file: 'a-1.0.0+abc.tgz',
  bytes: Buffer.from('the package'),
  digest: '0'.repeat(64),
  edited: false,
};
const digest = manifestDigest(chart) ?? '';
const notFound = 'Error: registry.corp/mesh/a:1.0.0_abc: not found\n';

const ok = (stdout = '', stderr = ''): ExecResult => ({ code: 0, stdout, stderr });
const failed = (stderr: string): ExecResult => ({ code: 1, stdout: '', stderr });

describe('publishing to a registry', ({ test, before, after }) => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-registry-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** A helm whose pulls give these answers one after the other: bytes, or an error. */
  function depsWith(pulls: readonly (string | ExecResult)[], pushed = `Pushed: registry.corp/mesh/a:1.0.0_abc\nDigest: ${digest}\n`) {
    const answers = [...pulls];
    const exec = ({ args }: RecordedCommand): ExecResult => {
      if (args[0] === 'version') return ok('v4.3.1');
      if (args[0] === 'push') return ok(pushed);
      if (args[0] !== 'pull') return ok();
      const answer = answers.shift() ?? notFound;
      if (typeof answer !== 'string') return answer;
      writeFileSync(join(args[args.indexOf('--destination') + 1] ?? '', chart.file), answer);
      return ok('', `Pulled: registry.corp/mesh/a:1.0.0_abc\nDigest: ${digest}\n`);
    };
    const system = fakeSystem({ exec, env: { TMPDIR: folder, DOCKER_CONFIG: '/docker', HELM_KUBECONTEXT: 'other' } });
    const deps: PublishDeps = { ...system, files: createFiles() };
    return { deps, commands: system.commands };
  }

  const publish = (deps: PublishDeps) => publishToRegistry([chart], { url: `${url}/`, plainHttp: false }, deps);

  test('asks, pushes and reads back, with the credentials of helm and nothing else of its configuration', async () => {
    const { deps, commands } = depsWith([failed(notFound), 'the package']);

    const [result] = await publish(deps);

    assert.equal(result, { name: 'a', version: '1.0.0+abc', reference: `${url}/a`, outcome: 'published', digest });
    const used = commands.filter(({ args }) => ['pull', 'push'].includes(args[0] ?? ''));
    assert.equal(
      used.map(({ args }) => args[0]),
      ['pull', 'push', 'pull'],
    );
    for (const { options } of used) {
      assert.is(options.env?.['DOCKER_CONFIG'], '/docker');
      assert.is(options.env?.['HELM_CONFIG_HOME'], undefined);
      assert.is(options.env?.['HELM_KUBECONTEXT'], undefined);
      assert.match(options.env?.['HELM_CACHE_HOME'] ?? '', folder);
    }
  });

  const absent = [
    notFound,
    'Error: GET "https://r/v2/a": response status code 404: name unknown: repository name not known\n',
    'Error: MANIFEST_UNKNOWN: manifest unknown\n',
  ];
  for (const said of absent) {
    test(`takes ${JSON.stringify(said.slice(0, 40))}... for a version that is not there`, async () => {
      const { deps } = depsWith([failed(said), 'the package']);

      assert.is((await publish(deps))[0]?.outcome, 'published');
    });
  }

  const unclear: readonly (readonly [string, RegExp])[] = [
    ['Error: response status code 401: unauthorized', /helm registry login registry\.corp$/],
    ['Error: response status code 403: denied: requested access to the resource is denied', /Log in as one who may pull and push/],
    ['Error: error getting credentials - err: exec: "docker-credential-desktop": executable file: not found', /A credential helper failed/],
    ['Error: Get "https://registry.corp/v2/": http: server gave HTTP response to HTTPS client', /--plain-http/],
    ['Error: tls: failed to verify certificate: x509: certificate signed by unknown authority', /certificate authority/],
    ['Error: dial tcp: lookup registry.corp: no such host', /cannot be reached/],
    ['Error: something else', /^$/],
  ];
  for (const [said, hint] of unclear) {
    test(`pushes nothing after ${JSON.stringify(said)}`, async () => {
      const { deps, commands } = depsWith([failed(said)]);

      const error = (await thrownBy(() => publish(deps))) as IsthmusError;

      assert.is(error.kind, 'failed');
      assert.match(error.hint ?? '', hint);
      assert.not.ok(commands.some(({ args }) => args[0] === 'push'));
    });
  }

  test('refuses a version that is there with other contents', async () => {
    const { deps, commands } = depsWith(['another package']);

    const error = (await thrownBy(() => publish(deps))) as IsthmusError;

    assert.is(error.kind, 'findings');
    assert.match(error.message, `is published with other contents (${digest})`);
    assert.not.ok(commands.some(({ args }) => args[0] === 'push'));
  });

  test('fails when the registry gives back something else than it was given', async () => {
    const contents = depsWith([failed(notFound), 'another package']);
    const manifest = depsWith([failed(notFound), 'the package'], `Digest: sha256:${'1'.repeat(64)}\n`);

    for (const { deps } of [contents, manifest]) {
      const error = (await thrownBy(() => publish(deps))) as IsthmusError;
      assert.is(error.kind, 'findings');
      assert.match(error.message, /was pushed as sha256:.* and reads back as sha256:/);
    }
  });

  test('leaves no file behind, also when one of several charts fails while others are under way', async () => {
    await publish(depsWith([failed(notFound), 'the package']).deps);
    const { deps } = depsWith([failed('Error: unauthorized'), 'the package', 'the package', 'the package', 'the package']);
    const slow: PublishDeps['exec'] = async (program, args, options) => {
      const result = await deps.exec(program, args, options);
      if (args[0] !== 'pull' || result.code !== 0) return result;
      await new Promise((resolve) => setTimeout(resolve, 50));
      await deps.files.write(join(options?.env?.['HELM_CACHE_HOME'] ?? '', 'late'), '');
      return result;
    };

    await thrownBy(() => publishToRegistry(Array(5).fill(chart), { url, plainHttp: false }, { ...deps, exec: slow }));

    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(await createFiles().list(folder), []);
  });

  for (const wrong of [
    'oci://',
    'oci://registry.corp/Mesh',
    'oci://registry.corp/mesh:1.0',
    'oci://me:secret@registry.corp/mesh',
    'oci://registry.corp//mesh',
  ]) {
    test(`refuses ${wrong}`, async () => {
      const error = (await thrownBy(() => publishToRegistry([chart], { url: wrong, plainHttp: false }, depsWith([]).deps))) as IsthmusError;

      assert.is(error.kind, 'usage');
      assert.match(error.message, 'is no registry and path');
      assert.not.match(`${error.message}${error.hint}`, 'secret');
    });
  }
});
