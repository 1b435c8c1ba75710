// Chart istio-remote against istioctl's remote profile: every difference stands in the chart's README, and nothing else differs.
import { execFileSync } from 'node:child_process';
import type { KubeObject } from '../../src/base/objects.ts';
import { parseYamlStream } from '../../src/base/yaml.ts';
import { chartFolder } from '../helpers/chart.ts';
import { differencesBetween, documentedDifferences } from '../helpers/differences.ts';
import { templateBoth } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';

interface Variant {
  readonly title: string;
  readonly namespace: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** What makes istioctl render the same, as `key=value`. */
  readonly settings: readonly string[];
}

const path = 'values.istiodRemote.injectionPath=/inject/cluster/cluster2/net/network1';
const place = { clusterName: 'cluster2', network: 'network1' };

const definition = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'any' } };

const variants: readonly Variant[] = [
  {
    title: 'the default revision',
    namespace: 'istio-system',
    values: { ...place, remotePilotAddresses: ['10.0.0.5'] },
    settings: [path, 'values.global.remotePilotAddress=10.0.0.5'],
  },
  {
    title: 'a named revision in another namespace, over IPv6',
    namespace: 'mesh',
    values: { ...place, revision: '1-30', remotePilotAddresses: ['fd00::5'] },
    settings: [path, 'revision=1-30', 'values.global.istioNamespace=mesh', 'values.global.remotePilotAddress=fd00::5'],
  },
  {
    title: 'a revision that is called default',
    namespace: 'istio-system',
    values: { ...place, revision: 'default', remotePilotAddresses: ['10.0.0.5'] },
    settings: [path, 'revision=default', 'values.global.remotePilotAddress=10.0.0.5'],
  },
  {
    title: 'a slash in a name, injection everywhere, another reinvocation policy',
    namespace: 'istio-system',
    values: {
      clusterName: 'a/b',
      remotePilotAddresses: ['10.0.0.5'],
      webhook: { enableNamespacesByDefault: true, reinvocationPolicy: 'IfNeeded' },
    },
    settings: [
      'values.global.remotePilotAddress=10.0.0.5',
      'values.istiodRemote.injectionPath=/inject/cluster/a--slash--b',
      'values.sidecarInjectorWebhook.enableNamespacesByDefault=true',
      'values.sidecarInjectorWebhook.reinvocationPolicy=IfNeeded',
    ],
  },
  {
    title: 'a URL and a CA of its own',
    namespace: 'istio-system',
    values: { ...place, webhook: { injectionURL: 'https://istiod.example.com/inject/cluster/cluster2', caBundle: 'QUJD' } },
    settings: [
      'values.istiodRemote.injectionURL=https://istiod.example.com/inject/cluster/cluster2',
      'values.istiodRemote.injectionCABundle=QUJD',
    ],
  },
];

describe('istio-remote and istioctl', ({ test, before }) => {
  const found = new Map<string, readonly string[]>();

  before(async () => {
    for (const variant of variants) found.set(variant.title, await differencesOf(variant));
  });

  for (const { title } of variants) {
    test(`differ only where the README says so: ${title}`, () => {
      const documented = new Set(documentedDifferences('istio-remote', 'Differences from istioctl'));

      const undocumented = found.get(title)?.filter((difference) => !documented.has(difference));

      assert.equal(undocumented, []);
    });
  }

  test('differ in everything that the README says', () => {
    const all = [...new Set([...found.values()].flat())].sort();

    assert.equal(documentedDifferences('istio-remote', 'Differences from istioctl').sort(), all);
  });
});

async function differencesOf({ namespace, values, settings }: Variant): Promise<string[]> {
  const ours = await templateBoth(chartFolder('istio-remote'), { namespace, values, release: 'istio' });
  return differencesBetween(renderUpstream(settings), ours);
}

function renderUpstream(settings: readonly string[]): KubeObject[] {
  const args = ['manifest', 'generate', ...['profile=remote', ...settings].flatMap((setting) => ['--set', setting])];
  const text = execFileSync(toolPath('istioctl'), args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return text
    .split(/^---$/m)
    .flatMap((document) => (isDefinition(document) ? definition : parseYamlStream(document, 'istioctl'))) as KubeObject[];
}

/** The definitions are long; that they are there is all that is compared. */
function isDefinition(document: string): boolean {
  return /^kind: CustomResourceDefinition$/m.test(document);
}
