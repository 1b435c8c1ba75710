// Where Istio's charts are read from: a folder, a repository through helm, and what was read before.
import { readIstioCharts } from '../../src/commands/istio-charts.ts';
import { planMesh } from '../../src/plan/mesh.ts';
import { mesh, pair } from '../helpers/builders.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { type FakeSystem, type FakeSystemOptions, fakeSystem } from '../helpers/system.ts';

const out = '/home/me/out';

interface Reading extends FakeSystemOptions {
  readonly charts?: string;
  /** Folder of the mesh file. */
  readonly folder?: string;
}

async function read({ charts, folder = '/home/me', ...options }: Reading) {
  const base = mesh([{ name: 'cluster1' }, { name: 'cluster2', role: 'remote' }]);
  const wanted = { ...base, istio: { ...base.istio, install: true, ...(charts === undefined ? {} : { charts }) } };
  const inputs = pair({ one: { istio: undefined } });
  const plan = planMesh({ mesh: wanted, inputs });
  const system = fakeSystem(options);
  const loaded = { mesh: wanted, folder, file: 'mesh.yaml', text: '', locate: () => '' };
  return { system, sources: await readIstioCharts(system, { loaded, inputs, plan }, out) };
}

/** A chart folder with a file that tells where it was found. */
function chart(folder: string): Record<string, string> {
  return { [`${folder}/Chart.yaml`]: `name: ${folder}\n`, [`${folder}/files/x.yaml`]: '' };
}

/** Unpacks as `helm pull --untar` does. */
function pulling(system: () => FakeSystem | undefined, stderr = ''): NonNullable<FakeSystemOptions['exec']> {
  return ({ args }) => {
    if (args[0] !== 'pull') return { code: 0, stdout: args[0] === 'version' ? 'v4.3.1' : '--force-conflicts', stderr: '' };
    const folder = args[args.indexOf('--untardir') + 1] ?? '';
    const name = args[1]?.split('/').at(-1) ?? '';
    if (stderr !== '') return { code: 1, stdout: '', stderr };
    for (const [path, text] of Object.entries(chart(`${folder}/${name}`))) system()?.written.set(path, text);
    return { code: 0, stdout: '', stderr: '' };
  };
}

describe("Istio's charts", ({ test }) => {
  test('are read from an unpacked release of Istio beside mesh.yaml, and from a folder of two charts', async () => {
    const release = {
      ...chart('/home/me/istio-1.30.3/manifests/charts/base'),
      ...chart('/home/me/istio-1.30.3/manifests/charts/istio-control/istio-discovery'),
    };
    const plain = { ...chart('/mirror/base'), ...chart('/mirror/istiod') };

    const fromRelease = await read({ charts: 'istio-1.30.3', files: release });
    const fromPlain = await read({ charts: '/mirror', files: plain });

    assert.equal(
      fromRelease.sources['istiod']?.map(({ path }) => path),
      ['Chart.yaml', 'files/x.yaml'],
    );
    assert.is(fromPlain.sources['istio-base']?.[0]?.contents, 'name: /mirror/base\n');
  });

  test('are fetched by helm in the version of the mesh, with its user his registries, and nothing of them stays', async () => {
    const system = fakeSystem({
      env: { HELM_REGISTRY_CONFIG: '/home/me/registry.json', SECRET: 'x' },
      exec: pulling(() => system),
    });
    const base = mesh([{ name: 'cluster1' }]);
    const wanted = { ...base, istio: { ...base.istio, install: true, charts: 'oci://registry.corp/istio/' } };
    const inputs = pair({ one: { istio: undefined } }).slice(0, 1);
    const loaded = { mesh: wanted, folder: '/home/me', file: 'mesh.yaml', text: '', locate: () => '' };

    const sources = await readIstioCharts(system, { loaded, inputs, plan: planMesh({ mesh: wanted, inputs }) }, out);

    const pulls = system.commands.filter(({ args }) => args[0] === 'pull');
    assert.equal(
      pulls.map(({ args }) => args.slice(0, 4).join(' ')),
      ['pull oci://registry.corp/istio/base --version 1.30.3', 'pull oci://registry.corp/istio/istiod --version 1.30.3'],
    );
    assert.is(pulls[0]?.options.env?.['HELM_REGISTRY_CONFIG'], '/home/me/registry.json');
    assert.is(pulls[0]?.options.env?.['SECRET'], undefined);
    assert.is(sources['istiod']?.length, 2);
    assert.equal([...system.written.keys()], []);
  });

  test('come from where Istio publishes them when mesh.yaml names no place', async () => {
    const thrown = await thrownBy(() => read({ exec: pulling(() => undefined, 'noise\nError: no such host') }));

    assert.match(String(thrown), 'helm pull failed: no such host');
    assert.is((thrown as { where?: string }).where, 'https://istio-release.storage.googleapis.com/charts');
  });

  test('are taken from out/ when its own mesh.yaml is planned again', async () => {
    const files = { ...chart(`${out}/clusters/cluster1/istio-base`), ...chart(`${out}/clusters/cluster1/istiod`) };

    const { sources, system } = await read({ folder: out, files, charts: 'gone' });

    assert.is(sources['istiod']?.[0]?.contents, `name: ${out}/clusters/cluster1/istiod\n`);
    assert.equal(system.commands, []);
  });

  test('that are not there are an error with the folders that were looked at', async () => {
    const thrown = await thrownBy(() => read({ charts: 'nowhere' }));

    assert.match(String(thrown), 'has no chart base of Istio');
    assert.match(String((thrown as { hint?: string }).hint), '/home/me/nowhere/manifests/charts/base');
  });
});
