// out/ of clusters in different networks: the order of its steps, the values of its gateways, and what is kept.
import { parseYaml } from '../../src/base/yaml.ts';
import type { MeshPlan } from '../../src/plan/types.ts';
import type { ReleaseIndex } from '../../src/render/types.ts';
import { istio, planPair } from '../helpers/builders.ts';
import { renderedFiles, repositoryCharts } from '../helpers/render.ts';
import { assert, describe } from '../helpers/suite.ts';

const found = { namespace: 'istio-system', name: 'istio-eastwestgateway', addresses: ['192.168.1.50'], hostnames: [], requested: [] };

function filesOf(plan: MeshPlan): ReadonlyMap<string, string> {
  return renderedFiles(plan, { charts: repositoryCharts() });
}

function planApart(services: readonly (typeof found)[] = [found]): MeshPlan {
  return planPair({ one: { services }, remote: { network: 'b' } });
}

describe('out/ with gateways', ({ test }) => {
  test("installs the primary's gateway first, and the remote's when istiod knows the remote", () => {
    const script = filesOf(planApart()).get('install.sh') ?? '';

    const steps = [...script.matchAll(/^ {2}(install_release|install_secret) (.*)$/gm)].map(([, step, rest = '']) => {
      const [first, second] = rest.split(' ');
      return `${step} ${first} ${second}`;
    });
    assert.equal(steps, [
      'install_release cluster1 eastwest-gateway',
      'install_release cluster2 istio-remote',
      'install_secret cluster1 cluster2',
      'install_release cluster2 eastwest-gateway',
    ]);
    assert.match(script, /remove_release cluster2 eastwest-gateway istio-system '?service\.keep=false/);
  });

  test('keeps the Services of gateways, and waits with the remote for that of the primary', () => {
    const index = parseYaml(filesOf(planApart([])).get('releases.yaml') ?? '', 'releases.yaml').value as ReleaseIndex;

    assert.equal(
      index.releases.map(({ name, cluster, order, folder, kept, waitsFor }) => [
        name,
        cluster,
        order,
        folder !== undefined,
        kept?.length,
        waitsFor,
      ]),
      [
        ['eastwest-gateway', 'cluster1', 10, true, 1, []],
        ['istio-remote', 'cluster2', 30, false, undefined, ['address of istio-eastwestgateway in cluster1']],
        ['eastwest-gateway', 'cluster2', 40, false, undefined, ['address of istio-eastwestgateway in cluster1']],
      ],
    );
    assert.equal(
      index.clusters.map(({ network, controlPlane }) => [network, controlPlane]),
      [
        ['network1', undefined],
        ['b', 'cluster1'],
      ],
    );
  });

  test('gives each chart the network of its cluster', () => {
    const files = filesOf(planApart());

    const [one, two] = ['cluster1', 'cluster2'].map((name) => valuesOf(files, name));
    assert.equal([one?.network, one?.expose], ['network1', { services: true, istiod: true }]);
    assert.equal([two?.network, two?.expose], ['b', { services: false, istiod: false }]);
  });
});

describe('out/ with ambient gateways', ({ test }) => {
  const own = (cluster: string, network: string) => ({ istio: istio(cluster, { network }) });
  const ambient = () =>
    planPair({
      one: own('cluster1', 'network1'),
      two: own('cluster2', 'network2'),
      remote: { role: 'primary' },
      mesh: { istio: { version: '1.30.3', dataplane: 'ambient' } },
    });

  test('installs both before the remote secrets, and removes them without any setting', () => {
    const script = filesOf(ambient()).get('install.sh') ?? '';

    const steps = [...script.matchAll(/^ {2}install_release (\S+) (\S+)/gm)].map(([, cluster, release]) => `${cluster} ${release}`);
    assert.equal(steps, ['cluster1 ambient-gateway', 'cluster2 ambient-gateway', 'cluster1 istio-reader', 'cluster2 istio-reader']);
    assert.match(script, /^ +remove_release cluster2 ambient-gateway istio-system$/m);
  });

  test('keeps nothing of it, since the Service is not of helm', () => {
    const index = parseYaml(filesOf(ambient()).get('releases.yaml') ?? '', 'releases.yaml').value as ReleaseIndex;

    assert.equal(
      index.releases.filter(({ kept }) => kept !== undefined),
      [],
    );
  });

  test('says wherever people look that it is not proven by traffic', () => {
    const files = filesOf(ambient());

    assert.match(files.get('README.md') ?? '', 'ambient gateway of network network2 (15021, 15008), not proven by traffic');
    assert.match(files.get('clusters/cluster1/ambient-gateway/README.md') ?? '', 'it was never tried with traffic');
    assert.match(files.get('clusters/cluster1/ambient-gateway/templates/NOTES.txt') ?? '', 'no traffic was sent through one');
  });
});

interface Values {
  readonly network: string;
  readonly expose: { readonly services: boolean; readonly istiod: boolean };
}

function valuesOf(files: ReadonlyMap<string, string>, cluster: string): Values {
  const path = `clusters/${cluster}/eastwest-gateway/values.yaml`;
  return parseYaml(files.get(path) ?? '', path).value as Values;
}
