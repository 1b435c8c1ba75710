// What goes into a bundle: all that an installation needs, listed and summed up, and nothing that was not generated.
import { createHash } from 'node:crypto';
import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTgz } from '../../src/archive/tgz.ts';
import { IsthmusError } from '../../src/base/errors.ts';
import { parseYaml } from '../../src/base/yaml.ts';
import { bundleFiles } from '../../src/bundle/layout.ts';
import { agentManifests, entriesOf, prepared, proxy, textOf } from '../helpers/bundles.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const golden = join(import.meta.dirname, '..', 'golden', 'out');

describe('the contents of a bundle', ({ test, before, after }) => {
  let folder = '';
  /** A copy of a committed out/, to be changed. */
  const copyOf = (name: string) => {
    const copy = mkdtempSync(join(folder, 'out-'));
    cpSync(join(golden, name), copy, { recursive: true });
    return copy;
  };
  const refusal = async (...args: Parameters<typeof prepared>) => {
    const error = await thrownBy(() => prepared(...args));
    assert.ok(error instanceof IsthmusError, String(error));
    return `${error.where}: ${error.message}`;
  };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-pack-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('are the charts, values, manifests and sources of the mesh, and what tells about them', async () => {
    const entries = await entriesOf(await prepared());

    const names = entries.map(({ path }) => path.replaceAll(/\+[0-9a-f]{12}|0\.\d\.\d/g, '_')).sort();
    assert.equal(names, [
      'README.md',
      'bundle.yaml',
      'charts/istio-ilb-cluster1-__.tgz',
      'charts/istio-remote-cluster2-__.tgz',
      'charts/namespaces-cluster1-__.tgz',
      'charts/namespaces-cluster2-__.tgz',
      'charts/remote-secret-cluster2-cluster1-__.tgz',
      'charts/remote-token-cluster2-__.tgz',
      'charts/route-installer-cluster1-__.tgz',
      'charts/route-installer-cluster2-__.tgz',
      'checksums.txt',
      'facts/cluster1.yaml',
      'facts/cluster2.yaml',
      'images/images.lock.yaml',
      'images/images.txt',
      'images/rewrite.yaml',
      'install.sh',
      'manifests/cluster1/40-workloads/daemonset-isthmus-system-route-installer-keeper.yaml',
      'manifests/cluster2/40-workloads/daemonset-isthmus-system-route-installer-keeper.yaml',
      'mesh.yaml',
      'plan.yaml',
      'releases.yaml',
      'sbom/bundle.spdx.json',
      'topology.svg',
      'values/cluster1/istio-ilb.yaml',
      'values/cluster1/route-installer.yaml',
      'values/cluster2/istio-remote.yaml',
      'values/cluster2/route-installer.yaml',
      'verify.sh',
    ]);
  });

  test('hang together: bundle.yaml covers checksums.txt, and that every other file', async () => {
    const entries = await entriesOf(await prepared());

    const manifest = parseYaml(textOf(entries, bundleFiles.manifest), 'bundle.yaml').value as { checksums: string };
    const sum = (contents: Uint8Array) => createHash('sha256').update(contents).digest('hex');
    const lines = entries
      .filter(({ path }) => path !== bundleFiles.manifest && path !== bundleFiles.checksums)
      .sort((a, b) => (a.path < b.path ? -1 : 1))
      .map(({ path, contents }) => `${sum(contents)}  ${path}\n`);
    assert.is(textOf(entries, bundleFiles.checksums), lines.join(''));
    assert.is(manifest.checksums, sum(Buffer.from(lines.join(''))));
  });

  test('have each chart in a folder of its name, with the values that lie beside it', async () => {
    const entries = await entriesOf(await prepared());

    const chart = entries.find(({ path }) => path.startsWith('charts/route-installer-cluster2-'));
    const files = await readTgz(chart?.contents ?? new Uint8Array());
    assert.ok(files.some(({ path }) => path === 'route-installer-cluster2/Chart.yaml'));
    assert.is(textOf(files, 'route-installer-cluster2/values.yaml'), textOf(entries, 'values/cluster2/route-installer.yaml'));
  });

  test('tell in SPDX of every file and image', async () => {
    const entries = await entriesOf(await prepared());

    const sbom = JSON.parse(textOf(entries, bundleFiles.sbom));
    assert.is(sbom.spdxVersion, 'SPDX-2.3');
    assert.is(sbom.creationInfo.created, '1980-01-01T00:00:00Z');
    assert.match(sbom.documentNamespace, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.is(sbom.files.length, entries.length - 3, 'all but itself, checksums.txt and bundle.yaml');
    assert.ok(sbom.packages.some(({ name }: { readonly name: string }) => name === proxy));
    const ids = [...sbom.packages, ...sbom.files].map(({ SPDXID }: { readonly SPDXID: string }) => SPDXID);
    assert.equal(ids, [...new Set(ids)]);
  });

  test('list sidecars, which no manifest names', async () => {
    const bundle = await prepared({ injected: new Map([['docker.io/istio/proxy_init:0.8.0', ['cluster2/sidecars']]]) });

    assert.equal(
      bundle.images.images.map(({ image, sources, consumers }) => [image, sources, consumers]),
      [
        ['docker.io/istio/proxy_init:0.8.0', ['injected'], ['cluster2/sidecars']],
        [proxy, ['chart'], ['cluster1/route-installer', 'cluster2/route-installer']],
      ],
    );
  });

  test('are refused when a manifest has an image that no chart declares, and the other way round', async () => {
    const other = 'registry.example/other:1';

    assert.match(await refusal({ manifests: agentManifests(other) }), `${other}, in manifests/cluster1/`);
    assert.match(await refusal({ manifests: [] }), `${proxy}, declared by cluster1/route-installer, is in no manifest`);
  });

  test('are refused when out/ holds a secret, wherever it is', async () => {
    const [edited, secret] = [copyOf('modern'), `token: ${'s3cr3t'.repeat(4)}`];
    appendFileSync(join(edited, 'clusters/cluster2/istio-remote/values.yaml'), `${secret}\n`);
    const mesh = copyOf('modern');
    appendFileSync(join(mesh, 'mesh.yaml'), `# ${['-----BEGIN', 'PRIVATE KEY-----'].join(' ')}\n`);

    const [first, second] = [await refusal({}, edited), await refusal({}, mesh)];

    assert.match(first, /istio-remote\/values\.yaml:\d+: holds a token or password/);
    assert.not.match(first, 's3cr3t');
    assert.match(second, /mesh\.yaml:\d+: holds a private key/);
  });

  test('are refused when someone put a file into a chart, and leave out what lies beside', async () => {
    const [inside, beside] = [copyOf('modern'), copyOf('modern')];
    writeFileSync(join(inside, 'clusters/cluster1/route-installer/templates/more.yaml'), 'kind: Pod\n');
    writeFileSync(join(beside, 'notes.txt'), 'mine\n');

    assert.match(await refusal({}, inside), 'templates/more.yaml: was not written by isthmus generate');
    const entries = await entriesOf(await prepared({}, beside));
    assert.not.ok(entries.some(({ path }) => path.includes('notes')));
  });

  test('are refused while a release waits for an address', async () => {
    const error = await thrownBy(async () => entriesOf(await prepared({}, join(golden, 'pending'))));

    assert.ok(error instanceof IsthmusError, String(error));
    assert.match(error.message, 'istio-remote waits for');
  });
});
