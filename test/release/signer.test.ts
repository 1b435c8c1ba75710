// The Secret cacerts: put in place before anything signs, never another root under a mesh that runs, never a key where it can be read.
import { rootFingerprint } from '../../src/base/certificates.ts';
import type { KubeObject } from '../../src/base/objects.ts';
import { install } from '../../src/release/install.ts';
import { previewInstall } from '../../src/release/preview.ts';
import { readGenerated } from '../../src/release/read.ts';
import type { ProgressEvent, ReleaseResult } from '../../src/release/types.ts';
import { uninstall } from '../../src/release/uninstall.ts';
import { createIntermediate, createRoot, type KeyedCertificate } from '../../src/trust/certificates.ts';
import type { FakeCluster } from '../helpers/cluster.ts';
import { installation, out, releaseIndex, twoClusters } from '../helpers/installation.ts';
import { assert, describe } from '../helpers/suite.ts';
import type { FakeSystem } from '../helpers/system.ts';

const now = new Date('2026-01-01T00:00:00Z');
const folder = '/home/me/ca/cluster1';

interface Root {
  readonly root: KeyedCertificate;
  readonly files: Readonly<Record<string, string>>;
  readonly fingerprint: string;
}

async function makeRoot(): Promise<Root> {
  const root = await createRoot('bookinfo', now);
  return { root, files: await signer(root), fingerprint: rootFingerprint(root.certificate) ?? '' };
}

async function signer(root: KeyedCertificate): Promise<Record<string, string>> {
  const own = await createIntermediate(root, { mesh: 'bookinfo', cluster: 'cluster1', dnsName: 'istiod.istio-system.svc', now });
  const chain = `${own.certificate}${root.certificate}`;
  return { 'ca-cert.pem': own.certificate, 'ca-key.pem': own.key, 'cert-chain.pem': chain, 'root-cert.pem': root.certificate };
}

const istiod: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'istiod', namespace: 'istio-system', labels: { app: 'istiod' } },
};
const published = (root: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'istio-ca-root-cert', namespace: 'istio-system' },
  data: { 'root-cert.pem': root },
});
const secret = (files: Readonly<Record<string, string>>, labels = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'cacerts', namespace: 'istio-system', labels },
  data: encoded(files),
});
const encoded = (files: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(files).map(([file, text]) => [file, Buffer.from(text).toString('base64')]));
const ours = { 'app.kubernetes.io/managed-by': 'isthmus' };

interface SettingOptions {
  readonly objects?: readonly KubeObject[];
  readonly planned?: Partial<Record<'folder' | 'root', string>>;
  readonly ignore?: readonly string[];
  /** The second cluster is a primary too, and runs this. */
  readonly second?: readonly KubeObject[];
}

describe('the Secret cacerts', ({ test, before }) => {
  let mine: Root;
  let other: Root;

  before(async () => {
    [mine, other] = await Promise.all([makeRoot(), makeRoot()]);
  });

  const setting = ({ objects = [], planned = {}, ignore, second }: SettingOptions = {}) => {
    const clusters = twoClusters();
    const version = { apiVersion: 'v1', kind: 'Version', metadata: { name: 'version' }, gitVersion: 'v1.34.4' };
    for (const cluster of Object.values(clusters)) cluster.objects.set('/version', version);
    clusters.one.add(...objects);
    clusters.two.add(...(second ?? []));
    const index = releaseIndex();
    Object.assign(index.clusters[0] ?? {}, { signer: { folder: '../ca/cluster1', root: mine.fingerprint, ...planned } });
    if (ignore !== undefined) Object.assign(index, { ignore });
    if (second !== undefined) Object.assign(index.clusters[1] ?? {}, { role: 'primary' });
    const files = Object.fromEntries(Object.entries(mine.files).map(([file, text]) => [`${folder}/${file}`, text]));
    return { ...clusters, system: installation({ clusters, index, files }) };
  };
  const run = async (system: FakeSystem, onProgress: (event: ProgressEvent) => void = () => undefined) =>
    install(await readGenerated(system.files, out), system, { onProgress });
  const outcome = (results: readonly ReleaseResult[], cluster = 'cluster1') => {
    const { outcome: what, message = '' } = results.find((each) => each.cluster === cluster && each.step === 'secret cacerts') ?? {};
    return `${what}${message === '' ? '' : `: ${message}`}`;
  };
  const stored = ({ one }: { one: FakeCluster }) => one.find('Secret', 'cacerts')?.['data'];

  test('holds the four files of its cluster, and a second run writes nothing', async () => {
    const { one, system } = setting();
    const first = await run(system);
    one.writes.length = 0;

    const second = await run(system);

    assert.is(outcome(first), 'installed');
    assert.equal(one.find('Secret', 'cacerts')?.['data'], encoded(mine.files));
    assert.is(one.find('Secret', 'cacerts')?.metadata.labels?.['app.kubernetes.io/managed-by'], 'isthmus');
    assert.is(outcome(second), 'unchanged');
    assert.equal(one.writes, []);
  });

  test('comes before the first helm release of its cluster', async () => {
    const { one, system } = setting();
    let seen: unknown = 'nothing';
    one.intercept = (request) => {
      if (request.startsWith('APPLY') && request.includes('/secrets/cacerts')) seen = [...one.releases.keys()];
    };

    await run(system);

    assert.equal(seen, []);
  });

  test('shows no key to anyone: not in progress, results, commands, files or the preview', async () => {
    const { system } = setting();
    const events: ProgressEvent[] = [];
    const preview = await previewInstall(await readGenerated(system.files, out), system);
    const results = await run(system, (event) => void events.push(event));

    const written = [...system.written].filter(([path]) => !path.startsWith(folder));
    const all = JSON.stringify([preview, results, events, system.commands, system.output(), written]);
    const [, line = ''] = (mine.files['ca-key.pem'] ?? '').split('\n');
    assert.not(all.includes(line) || all.includes(Buffer.from(line).toString('base64').slice(0, 40)) || all.includes('PRIVATE KEY'));
    assert.match(preview.steps.find(({ step }) => step === 'secret cacerts')?.diff ?? '', mine.fingerprint.slice(0, 23));
  });

  test('gives no running mesh another root: nothing at all is written, in no cluster', async () => {
    const { one, two, system } = setting({ objects: [istiod, published(other.root.certificate)] });

    const results = await run(system);

    assert.ok(results.every(({ outcome: what }) => what === 'failed' || what === 'skipped'));
    assert.match(results[0]?.message ?? '', `ISM074: the root certificates differ: ${other.fingerprint.slice(0, 23)}... in cluster1`);
    assert.equal([one.writes, two.writes, [...one.releases], [...two.releases]], [[], [], [], []]);
  });

  test('is not put under a running mesh of another root even where different roots are accepted', async () => {
    const setup = setting({ objects: [istiod, published(other.root.certificate)], ignore: ['ISM074'] });

    const results = await run(setup.system);

    assert.match(outcome(results), 'failed: ISM074: the root in use is');
    assert.is(stored(setup), undefined);
  });

  test('stops before the first write when two primaries run with different roots', async () => {
    const { one, two, system } = setting({
      objects: [istiod, published(mine.root.certificate)],
      second: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system' } }, istiod, published(other.root.certificate)],
    });

    const results = await run(system);

    assert.equal(
      results.filter(({ outcome: what }) => what === 'failed').map(({ cluster, step }) => `${cluster} ${step}`),
      ['cluster1 root of trust', 'cluster2 root of trust'],
    );
    assert.equal([one.writes, two.writes], [[], []]);
  });

  test('may replace what an Istio that is gone has left', async () => {
    const setup = setting({ objects: [published(other.root.certificate)] });

    assert.is(outcome(await run(setup.system)), 'installed');
  });

  test('of someone else stays: from the same root it is as good, from another one it is refused', async () => {
    const renewed = await signer(mine.root);
    const same = setting({ objects: [secret(renewed)] });
    const different = setting({ objects: [secret(other.files)] });

    assert.match(outcome(await run(same.system)), 'unchanged: it is of someone else, from the same root');
    assert.equal(stored(same), encoded(renewed));
    assert.match(outcome(await run(different.system)), 'failed: ISM074');
    assert.equal(stored(different), encoded(other.files));
  });

  test('of ours follows a new intermediate of the same root, and is refused another root', async () => {
    const same = setting({ objects: [istiod, published(mine.root.certificate)] });
    await run(same.system);
    for (const [file, text] of Object.entries(await signer(mine.root))) same.system.written.set(`${folder}/${file}`, text);
    const different = setting({ objects: [secret(other.files, ours)] });

    assert.is(outcome(await run(same.system)), 'upgraded');
    assert.is(
      Buffer.from((stored(same) as Record<string, string>)['ca-cert.pem'] ?? '', 'base64').toString(),
      same.system.written.get(`${folder}/ca-cert.pem`),
    );
    assert.match(outcome(await run(different.system)), 'failed: ISM074');
    assert.equal(stored(different), encoded(other.files));
  });

  test('is not made from files that changed their root since they were planned for, or that lie in out/', async () => {
    const changed = setting({ planned: { root: other.fingerprint } });
    const inside = setting({ planned: { folder: 'ca/cluster1' } });

    assert.match(outcome(await run(changed.system)), 'failed: holds another root than the one that was planned for');
    assert.match(outcome(await run(inside.system)), 'failed: lies in /home/me/out');
    assert.equal([stored(changed), stored(inside)], [undefined, undefined]);
  });

  test('must be there already, whole and of the planned root, where its files are not at hand: else nothing is written in any cluster', async () => {
    const { 'cert-chain.pem': _, ...part } = mine.files;
    const tls = { 'ca.crt': mine.root.certificate, 'tls.crt': mine.files['ca-cert.pem'] ?? '', 'tls.key': mine.files['ca-key.pem'] ?? '' };
    const expecting = async (...objects: KubeObject[]) => {
      const { one, two, system } = setting({ objects });
      const results = await install(await readGenerated(system.files, out), system, { signers: 'expect' });
      const refused = results.find(({ step, outcome: what }) => step === 'root of trust' && what === 'failed')?.message;
      assert.is(one.writes.length + two.writes.length + one.releases.size === 0, refused !== undefined);
      return refused ?? outcome(results);
    };

    assert.match(await expecting(), 'Secret istio-system/cacerts is not there, and without it istiod would make a root of its own');
    assert.match(await expecting(secret(part)), 'lacks cert-chain.pem');
    assert.match(await expecting(secret(other.files)), `is of root ${other.fingerprint.slice(0, 23)}`);
    assert.is(await expecting(secret(mine.files)), 'unchanged');
    assert.is(await expecting(secret(tls)), 'unchanged');
  });

  test('goes with the mesh, unless istiod still signs with it or it is not ours', async () => {
    const remove = async ({ system }: { system: FakeSystem }) => uninstall(await readGenerated(system.files, out), system);
    const gone = setting();
    const running = setting();
    const foreign = setting({ objects: [secret(mine.files)] });
    for (const each of [gone, running, foreign]) await run(each.system);
    running.one.add(istiod, published(mine.root.certificate));

    const results = [await remove(gone), await remove(running), await remove(foreign)];

    assert.is(outcome(results[0] ?? []), 'removed');
    assert.match(outcome(results[1] ?? []), 'absent: it stays, because istiod signs with it');
    assert.match(outcome(results[2] ?? []), 'absent: it was not made by isthmus, so it stays');
    assert.equal([stored(gone), stored(running), stored(foreign)], [undefined, encoded(mine.files), encoded(mine.files)]);
    assert.ok(results.flat().every(({ outcome: what }) => what !== 'failed'));
  });
});
