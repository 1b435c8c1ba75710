// Bundles of the right form that do not hold what they say, or hold what no bundle may: their checksums are made to fit.
import { packTgz } from '../../src/archive/tgz.ts';
import { toYaml } from '../../src/base/yaml.ts';
import { bundleFiles } from '../../src/bundle/layout.ts';
import { agentManifests, mtime, rawGzip, rawTar, replaced, resealed, textOf } from '../helpers/bundles.ts';
import { type Entries, type HostileBundle, packed, text } from './hostile-archives.ts';

const token = `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.${'c'.repeat(20)}`;
const pem = ['-----BEGIN RSA', 'PRIVATE KEY-----\nMIIE\n'].join(' ');
const chart = 'charts/route-installer-cluster1';

/** A good bundle with one file changed and everything above it made to fit. */
function withText(path: string, contents: (before: string) => string): HostileBundle['archive'] {
  return (good) => packed(resealed(replaced(good, path, contents(textOf(good, path)))));
}

function withLines(good: Entries, paths: readonly string[], [from, to]: readonly [from: string, to: string]): Entries {
  return paths.reduce((all, path) => replaced(all, path, textOf(all, path).replaceAll(from, to)), good);
}

/** A good bundle with one chart package replaced. */
function withPackage(good: Entries, contents: Uint8Array): Uint8Array {
  return packed(resealed(good.map((entry) => (entry.path.startsWith(chart) ? { ...entry, contents } : entry))));
}

function withChart(files: Entries): HostileBundle['archive'] {
  return async (good) => withPackage(good, await packTgz(files, { mtime }));
}

export const hostileContents: readonly HostileBundle[] = [
  { title: 'a changed file', reason: 'mesh.yaml: was changed', archive: (good) => packed(replaced(good, 'mesh.yaml', 'kind: Mesh\n')) },
  { title: 'a missing file', reason: 'plan.yaml: is missing', archive: (good) => packed(good.filter(({ path }) => path !== 'plan.yaml')) },
  {
    title: 'a file that is not listed',
    reason: 'is not in checksums.txt',
    archive: (good) => packed([...good, text('facts/cluster9.yaml')]),
  },
  {
    title: 'no bundle.yaml',
    reason: 'bundle.yaml: is missing',
    archive: (good) => packed(good.filter(({ path }) => path !== bundleFiles.manifest)),
  },
  {
    title: 'no checksums.txt',
    reason: 'checksums.txt: is missing',
    archive: (good) => packed(good.filter(({ path }) => path !== bundleFiles.checksums)),
  },
  {
    title: 'a checksums.txt that bundle.yaml does not know',
    reason: 'not the one that bundle.yaml was made with',
    archive: (good) => packed(replaced(good, bundleFiles.checksums, `${textOf(good, bundleFiles.checksums)}${'0'.repeat(64)}  x\n`)),
  },
  {
    title: 'a bundle.yaml with a key more',
    reason: 'Unrecognized key',
    archive: withText(bundleFiles.manifest, (before) => `${before}run: rm\n`),
  },
  {
    title: 'a bundle.yaml of another kind',
    reason: 'bundle.yaml',
    archive: withText(bundleFiles.manifest, (before) => before.replace('kind: Bundle', 'kind: Mesh')),
  },
  { title: 'a bundle.yaml that is no YAML', reason: 'bundle.yaml', archive: (good) => packed(replaced(good, bundleFiles.manifest, '{{')) },
  {
    title: 'a bundle.yaml of another time',
    reason: 'names another time',
    archive: withText(bundleFiles.manifest, (before) => before.replace('1980', '1981')),
  },
  {
    title: 'a bundle.yaml that names another cluster',
    reason: 'names other clusters',
    archive: withText(bundleFiles.manifest, (before) => before.replace('name: cluster1', 'name: cluster9')),
  },
  {
    title: 'a bundle.yaml with another order',
    reason: 'names other releases',
    archive: withText(bundleFiles.manifest, (before) => before.replace('order: 30', 'order: 5')),
  },
  {
    title: 'a bundle.yaml that names a chart outside',
    reason: 'is missing',
    archive: withText(bundleFiles.manifest, (before) => before.replace(/chart: charts\/.*/, 'chart: ../evil.tgz')),
  },
  {
    title: 'a file that is not UTF-8',
    reason: 'is not UTF-8',
    archive: (good) =>
      packed(resealed(good.map((entry) => (entry.path === 'README.md' ? { ...entry, contents: Buffer.from([0xff, 0xfe]) } : entry)))),
  },
  {
    title: 'a manifest with another image',
    reason: 'is not declared',
    archive: (good) =>
      packed(
        resealed(
          agentManifests('evil.example/agent:1').reduce<Entries>(
            (all, { path, contents: manifest }) => replaced(all, path, manifest),
            good,
          ),
        ),
      ),
  },
  {
    title: 'an image that no manifest has',
    reason: 'is in no manifest',
    archive: (good) =>
      packed(resealed(withLines(good, [bundleFiles.imageLock, bundleFiles.imageList], ['proxyv2:1.30.3', 'proxyv2:9.9.9']))),
  },
  {
    title: 'an images.txt of its own',
    reason: 'images.txt',
    archive: withText(bundleFiles.imageList, (before) => `${before}evil.example/agent:1\n`),
  },
  {
    title: 'a rule that sends an image elsewhere',
    reason: 'has other rules',
    archive: withText(bundleFiles.imageRewrite, (before) => before.replace('to: proxyv2', 'to: evil')),
  },
  {
    title: 'images that bundle.yaml does not know of',
    reason: 'images are listed only',
    archive: (good) => packed(resealed([...good, text('images/oci/oci-layout', '{"imageLayoutVersion":"1.0.0"}')])),
  },
  {
    title: 'images that are missing',
    reason: 'images/oci',
    archive: withText(bundleFiles.manifest, (before) => before.replace('images: list', 'images: oci')),
  },
  {
    title: 'a chart that is no archive',
    reason: chart,
    archive: (good) => withPackage(good, Buffer.from('x')),
  },
  {
    title: 'a chart that leads out',
    reason: 'leads out of its folder',
    archive: (good) => withPackage(good, rawGzip(rawTar([{ name: '../../x' }]))),
  },
  {
    title: 'a chart in two folders',
    reason: 'is not a chart in one folder',
    archive: withChart([text('a/Chart.yaml'), text('b/Chart.yaml')]),
  },
  { title: 'a chart without Chart.yaml', reason: 'is not a chart in one folder', archive: withChart([text('a/values.yaml')]) },
  {
    title: 'a chart with a private key',
    reason: 'holds a private key',
    archive: withChart([text('a/Chart.yaml'), text('a/files/x', pem)]),
  },
  { title: 'a private key', reason: 'holds a private key', archive: withText('mesh.yaml', (before) => `${before}# ${pem}`) },
  {
    title: 'a private key in base64',
    reason: 'holds a private key',
    archive: withText('plan.yaml', (before) => `${before}x: ${Buffer.from(pem).toString('base64')}\n`),
  },
  { title: 'a token', reason: 'holds a token', archive: withText('plan.yaml', (before) => `${before}x: ${token}\n`) },
  {
    title: 'a password in a URL',
    reason: 'holds a URL with a password',
    archive: withText('README.md', () => 'https://me:hunter2@registry.corp/\n'),
  },
  {
    title: 'a kubeconfig',
    reason: 'holds a kubeconfig',
    archive: withText('plan.yaml', (before) => `${before}config: |\n  apiVersion: v1\n  kind: Config\n  users: []\n`),
  },
  {
    title: 'a Secret with data',
    reason: 'is a Secret with data',
    archive: (good) =>
      packed(
        resealed([
          ...good,
          text(
            'manifests/cluster1/20-rbac/secret.yaml',
            toYaml({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' }, data: { a: 'eA==' } }),
          ),
        ]),
      ),
  },
];
