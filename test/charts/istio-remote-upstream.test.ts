// Chart istio-remote against istioctl's remote profile: every difference stands in the chart's README, and nothing else differs.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeObject } from '../../src/base/objects.ts';
import { parseYamlStream } from '../../src/base/yaml.ts';
import { chartFolder } from '../helpers/chart.ts';
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
      const documented = new Set(documentedDifferences());

      const undocumented = found.get(title)?.filter((difference) => !documented.has(difference));

      assert.equal(undocumented, []);
    });
  }

  test('differ in everything that the README says', () => {
    const all = [...new Set([...found.values()].flat())].sort();

    assert.equal(documentedDifferences().sort(), all);
  });
});

function documentedDifferences(): string[] {
  const readme = readFileSync(join(chartFolder('istio-remote'), 'README.md'), 'utf8');
  const section = readme.split('\n## ').find((text) => text.startsWith('Differences from istioctl'));
  return [...(section ?? '').matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] ?? '');
}

async function differencesOf({ namespace, values, settings }: Variant): Promise<string[]> {
  const theirs = describeObjects(renderUpstream(settings));
  const ours = describeObjects(await templateBoth(chartFolder('istio-remote'), { namespace, values, release: 'istio' }));
  const keys = [...new Set([...theirs.keys(), ...ours.keys()])];
  const different = keys.filter((key) => theirs.get(key) !== ours.get(key));
  return [...new Set(different.map((key) => placeOf(key, theirs, ours)))].sort();
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

/** Every leaf of every object by `kind name | path`; lists whose order means nothing are keyed by what names their items. */
function describeObjects(objects: readonly KubeObject[]): Map<string, string> {
  const leaves = new Map<string, string>();
  for (const { apiVersion, kind, rules, ...rest } of objects) {
    const object = `${kind} ${rest.metadata.name}`;
    leaves.set(`${object} | apiVersion`, apiVersion);
    for (const [key, value] of leavesOf({ ...rest, ...(kind === 'ClusterRole' ? { rules: permissions(rules) } : {}) }, ''))
      leaves.set(`${object} | ${key}`, value);
  }
  return leaves;
}

function leavesOf(value: unknown, prefix: string): [string, string][] {
  if (typeof value !== 'object' || value === null) return [[prefix, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, item]) => {
    const name = Array.isArray(value) ? String((item as { name?: string }).name ?? key) : key;
    return leavesOf(item, prefix === '' ? name : Array.isArray(value) ? `${prefix}[${name}]` : `${prefix}.${name}`);
  });
}

/** The permissions that rules give, one by one, whatever way they are grouped. */
function permissions(rules: unknown): Record<string, boolean> {
  const all = (rules as { apiGroups: string[]; resources: string[]; verbs: string[] }[]).flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource} of "${group}"`))),
  );
  const wide = new Set(all);
  return Object.fromEntries(all.filter((one) => !isCovered(one, wide)).map((one) => [one, true]));
}

/** True for a permission that another one of the same role, on all resources of the group, gives already. */
function isCovered(permission: string, all: ReadonlySet<string>): boolean {
  const everything = permission.replace(/ \S+ of /, ' * of ');
  return everything !== permission && all.has(everything);
}

/** Where a difference stands, as the README names it: a whole kind, a label on any object, a field of a kind. */
function placeOf(key: string, theirs: ReadonlyMap<string, string>, ours: ReadonlyMap<string, string>): string {
  const [object = '', field = ''] = key.split(' | ');
  const kind = object.split(' ')[0] ?? '';
  if (!theirs.has(`${object} | apiVersion`) || !ours.has(`${object} | apiVersion`)) return kind;
  if (field.startsWith('metadata.labels.')) return field;
  return `${kind} ${field.replaceAll(/\[[^\]]*\]/g, '[]')}`;
}
