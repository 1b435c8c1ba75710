// What install gets of a bundle: the releases as they were packed, or with their images at a mirror; nothing that a hostile bundle says of this machine.
import { sourceOf } from '../../src/archive/write-tar.ts';
import { IsthmusError } from '../../src/base/errors.ts';
import { parseYaml } from '../../src/base/yaml.ts';
import { checkEntries } from '../../src/bundle/read.ts';
import { checkRegistry, relocateChart } from '../../src/bundle/relocate.ts';
import type { Bundle } from '../../src/bundle/types.ts';
import { type UnpackOptions, unpackGenerated } from '../../src/bundle/unpack.ts';
import { ReleaseIndex } from '../../src/render/types.ts';
import { entriesOf, mtime, prepared } from '../helpers/bundles.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const plain: UnpackOptions = { pullSecrets: [], contexts: new Map() };
const mirrored: UnpackOptions = { ...plain, registry: 'mirror.corp:5000/istio', pullSecrets: ['regcred'] };

async function bundleOf(): Promise<Bundle> {
  return checkEntries((await entriesOf(await prepared())).map(sourceOf), mtime);
}

function indexOf(files: Readonly<Record<string, string>>): ReleaseIndex {
  return ReleaseIndex.parse(parseYaml(files['releases.yaml'] ?? '', 'releases.yaml').value);
}

function versions(files: Readonly<Record<string, string>>): Map<string, string | undefined> {
  return new Map(indexOf(files).releases.map(({ cluster, name, version }) => [`${cluster}/${name}`, version]));
}

function valuesOf(files: Readonly<Record<string, string>>, name: string): unknown {
  const release = indexOf(files).releases.find((each) => each.name === name);
  return parseYaml(files[`${release?.folder}/values.yaml`] ?? '', 'values.yaml').value;
}

async function refusal(bundle: Bundle, options: UnpackOptions = plain): Promise<string> {
  const error = await thrownBy(() => unpackGenerated(bundle, options));
  assert.ok(error instanceof IsthmusError, String(error));
  return error.message;
}

describe('an unpacked bundle', ({ test }) => {
  test('holds every release with its chart, in the versions that were generated', async () => {
    const bundle = await bundleOf();

    const files = await unpackGenerated(bundle, plain);

    assert.equal(versions(files), new Map(bundle.index.releases.map(({ cluster, name, version }) => [`${cluster}/${name}`, version])));
    for (const { folder } of indexOf(files).releases) assert.ok(`${folder}/Chart.yaml` in files, folder);
  });

  test('has its images at a mirror, and another version only where that makes another chart', async () => {
    const bundle = await bundleOf();

    const [before, after] = await Promise.all([unpackGenerated(bundle, plain), unpackGenerated(bundle, mirrored)]);

    const changed = [...versions(after)].filter(([release, version]) => versions(before).get(release) !== version);
    assert.equal(
      changed.map(([release]) => release),
      ['cluster1/route-installer', 'cluster2/route-installer'],
    );
    const { image, imagePullSecrets } = valuesOf(after, 'route-installer') as Record<string, Record<string, string>>;
    assert.is(`${image?.['registry']}/${image?.['repository']}:${image?.['tag']}`, 'mirror.corp:5000/istio/proxyv2:1.30.3');
    assert.equal(imagePullSecrets, [{ name: 'regcred' }]);
  });

  test('leads to the contexts of this machine, and to no kubeconfig that the bundle names', async () => {
    const bundle = await bundleOf();
    const [first] = bundle.index.clusters;
    const named = {
      ...bundle,
      index: { ...bundle.index, clusters: bundle.index.clusters.map((each) => ({ ...each, kubeconfig: '/tmp/theirs' })) },
    };

    const { clusters } = indexOf(await unpackGenerated(named, { ...plain, contexts: new Map([[first?.name ?? '', 'mine']]) }));

    assert.is(clusters[0]?.context, 'mine');
    assert.ok(clusters.every(({ kubeconfig }) => kubeconfig === undefined));
    assert.match(await refusal(bundle, { ...plain, contexts: new Map([['cluster9', 'mine']]) }), 'no such cluster');
  });

  test('takes keys from a folder that is named here, and from none that the bundle names', async () => {
    const bundle = await bundleOf();
    const signer = { folder: '/tmp/theirs', root: 'AA:BB' };
    const signed = { ...bundle, index: { ...bundle.index, clusters: bundle.index.clusters.map((each) => ({ ...each, signer })) } };

    const [mine, none] = await Promise.all(
      [{ ca: '/keys' }, {}].map(async (given) => indexOf(await unpackGenerated(signed, { ...plain, ...given }))),
    );

    assert.equal(mine?.clusters[0]?.signer, { folder: '/keys/cluster1', root: 'AA:BB' });
    assert.not.match(JSON.stringify(none), 'theirs');
    assert.is(none?.clusters[0]?.signer?.root, 'AA:BB');
  });

  test('is refused when a name in it would be something else to helm or the API server', async () => {
    const bundle = await bundleOf();

    for (const name of ['--post-renderer=/bin/sh', '../../etc', 'a/b', 'A', '']) {
      const releases = bundle.index.releases.map((release) => ({ ...release, name }));
      assert.match(await refusal({ ...bundle, index: { ...bundle.index, releases } }), 'which is none');
      const clusters = bundle.index.clusters.map((cluster) => ({ ...cluster, name }));
      assert.match(await refusal({ ...bundle, index: { ...bundle.index, clusters } }), 'which is none');
    }
  });
});

describe('a chart at a mirror', ({ test }) => {
  const rewrite = {
    apiVersion: 'isthmus/v1',
    kind: 'ImageRewrite',
    rules: [{ from: 'docker.io/istio/citadel', to: 'citadel' }],
  } as const;
  const files = new Map([
    ['Chart.yaml', 'name: c\nversion: 0.1.0+0123456789ab\n'],
    [
      'values.yaml',
      `citadel:\n  image: {registry: docker.io, repository: istio/citadel, tag: "0.8.0", digest: "${digest}"}\nkept: docker.io/istio/citadel\n`,
    ],
  ]);

  test('keeps tag and digest, and every value that is no image', () => {
    const relocation = { registry: 'mirror.corp', pullSecrets: [], rewrite };

    const moved = relocateChart(files, { chart: 'istio-remote-classic' }, { relocation, plainVersion: '0.1.0' });

    assert.equal(parseYaml(moved.get('values.yaml') ?? '', 'values.yaml').value, {
      citadel: { image: { registry: 'mirror.corp', repository: 'citadel', tag: '0.8.0', digest } },
      kept: 'docker.io/istio/citadel',
    });
    assert.match(moved.get('Chart.yaml') ?? '', /^version: 0\.1\.0\+(?!0123456789ab)[0-9a-f]{12}$/m);
  });

  test('of Istio itself gets the mirror as its hub, from which sidecars come, too', () => {
    const global = 'global: {hub: docker.io/istio, tag: 1.29.0, meshID: shop}\n';
    const istiod = new Map([
      ['Chart.yaml', 'name: c\nversion: 0.1.0+0123456789ab\n'],
      ['values.yaml', global],
    ]);
    const rules = ['pilot', 'proxyv2'].map((name) => ({ from: `docker.io/istio/${name}`, to: name }));
    const relocation = { registry: 'mirror.corp/istio', pullSecrets: ['regcred'], rewrite: { ...rewrite, rules } };

    const moved = relocateChart(istiod, { chart: 'istiod' }, { relocation, plainVersion: '0.1.0' });

    assert.equal(parseYaml(moved.get('values.yaml') ?? '', 'values.yaml').value, {
      global: { hub: 'mirror.corp/istio', tag: '1.29.0', meshID: 'shop', imagePullSecrets: ['regcred'] },
    });
  });

  test('needs a registry with a path, without scheme or tag', async () => {
    for (const registry of ['mirror.corp', 'mirror.corp:5000/istio', 'localhost:5000', 'mirror.corp/a/b-c/']) checkRegistry(registry);
    for (const registry of ['', 'https://mirror.corp', 'mirror.corp/istio:1', 'mirror corp', '-x', 'mirror.corp//a'])
      assert.match(String(await thrownBy(() => checkRegistry(registry))), 'is no registry');
  });
});
