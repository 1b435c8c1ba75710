// The folder of a root of trust on a real file system, judged by openssl, node:crypto and the rules of Istio's own scripts.
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IsthmusError } from '../../src/base/errors.ts';
import { createFiles } from '../../src/system/files.ts';
import { createPrivateFiles } from '../../src/system/private-files.ts';
import { type Initialized, initTrust } from '../../src/trust/init.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';

const now = new Date('2026-11-22T12:00:00Z');
const year = 365 * 86_400_000;

describe('a root of trust', ({ test, before, after }) => {
  let base: string;
  let folder: string;
  let first: Initialized;

  const init = (clusters: readonly string[], change: { folder?: string; now?: Date } = {}) =>
    initTrust({
      files: createFiles(),
      privateFiles: createPrivateFiles(),
      folder,
      mesh: 'bookinfo',
      clusters,
      dnsName: 'istiod.istio-system.svc',
      now,
      ...change,
    });
  const at = (...path: string[]) => join(folder, ...path);
  const certificate = (...path: string[]) => new X509Certificate(readFileSync(at(...path)));
  const openssl = (...args: string[]) => execFileSync(toolPath('openssl'), args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const verify = (...args: string[]) => openssl('verify', '-x509_strict', '-attime', String(now.getTime() / 1000), ...args);
  /** A copy to spoil: making keys takes seconds. */
  const copy = (name: string) => {
    cpSync(folder, join(base, name), { recursive: true });
    return join(base, name);
  };

  before(async () => {
    base = mkdtempSync(join(tmpdir(), 'isthmus-trust-'));
    folder = join(base, 'ca');
    first = await init(['cluster1', 'cluster2']);
  });
  after(() => rmSync(base, { recursive: true, force: true }));

  test('has the files of the Secret cacerts for each cluster, readable by their owner alone', () => {
    const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();

    assert.equal(paths, [
      ...['cluster1', 'cluster2'].flatMap((cluster) => [
        cluster,
        ...['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem'].map((file) => `${cluster}/${file}`),
      ]),
      'root-cert.pem',
      'root-key.pem',
    ]);
    for (const path of ['', ...paths]) {
      const stats = statSync(at(path));
      assert.is(stats.mode & 0o777, stats.isDirectory() ? 0o700 : 0o600, path);
    }
    assert.equal(readdirSync(base), ['ca']);
    assert.equal(first.made, ['root', 'cluster1', 'cluster2']);
  });

  test('is accepted by openssl: each intermediate by the root, each key by its certificate', () => {
    for (const cluster of ['cluster1', 'cluster2']) {
      assert.match(verify('-CAfile', at('root-cert.pem'), at(cluster, 'ca-cert.pem')), ': OK');
      assert.match(verify('-CAfile', at(cluster, 'root-cert.pem'), at(cluster, 'cert-chain.pem')), ': OK');
      assert.is(
        openssl('pkey', '-in', at(cluster, 'ca-key.pem'), '-pubout'),
        openssl('x509', '-in', at(cluster, 'ca-cert.pem'), '-noout', '-pubkey'),
      );
    }
  });

  test('limits what an intermediate may do: sign certificates of workloads, and no further authority', () => {
    const text = openssl('x509', '-in', at('cluster1', 'ca-cert.pem'), '-noout', '-text');

    assert.match(text, /Subject: O ?= ?bookinfo, L ?= ?cluster1, CN ?= ?Intermediate CA/);
    assert.match(text, /Basic Constraints: critical\n\s+CA:TRUE, pathlen:0\n/);
    assert.match(text, /Key Usage: critical\n\s+Certificate Sign, CRL Sign\n/);
    assert.match(text, 'DNS:istiod.istio-system.svc');
    assert.match(text, /Public-Key: \(4096 bit\)/);
  });

  test('signs what istiod would sign, and openssl refuses an authority below the intermediate', () => {
    const work = mkdtempSync(join(base, 'work-'));
    const spiffe = 'subjectAltName=critical,URI:spiffe://cluster.local/ns/bookinfo/sa/default';
    const sign = (name: string, ca: string) => {
      const from = [
        '-CA',
        at('cluster1', 'ca-cert.pem'),
        '-CAkey',
        at('cluster1', 'ca-key.pem'),
        '-addext',
        `basicConstraints=critical,CA:${ca}`,
      ];
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(work, `${name}.key`)];
      openssl(
        'req',
        '-x509',
        ...from,
        ...key,
        '-subj',
        '/',
        '-addext',
        spiffe,
        '-addext',
        'keyUsage=critical,digitalSignature',
        '-out',
        join(work, name),
      );
      return join(work, name);
    };
    const chain = ['-CAfile', at('cluster2', 'root-cert.pem'), '-untrusted', at('cluster1', 'cert-chain.pem')];

    assert.match(openssl('verify', ...chain, sign('leaf', 'FALSE')), ': OK');
    const authority = sign('authority', 'TRUE');
    const refused = String(
      (thrown(() => openssl('verify', ...chain, '-untrusted', authority, below(authority, work))) as { stderr?: string }).stderr,
    );
    assert.match(refused, /path length constraint exceeded|invalid CA certificate/);

    function below(issuer: string, into: string): string {
      const made = join(into, 'below');
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${made}.key`];
      openssl('req', '-x509', '-CA', issuer, '-CAkey', `${issuer}.key`, ...key, '-subj', '/CN=below', '-out', made);
      return made;
    }
  });

  test('is the same to node:crypto: chain, dates, a serial number of its own for each', () => {
    const root = certificate('root-cert.pem');
    const own = [certificate('cluster1', 'ca-cert.pem'), certificate('cluster2', 'ca-cert.pem')];

    assert.ok(root.ca && root.checkIssued(root) && root.verify(root.publicKey));
    assert.ok(own.every((each) => each.ca && each.checkIssued(root) && each.verify(root.publicKey)));
    assert.is(Date.parse(root.validTo), now.getTime() + 10 * year);
    assert.ok(Date.parse(root.validFrom) < now.getTime());
    assert.is(new Set([root, ...own].map(({ serialNumber }) => serialNumber)).size, 3);
    assert.is(first.root.fingerprint, root.fingerprint256);
  });

  test('is left alone by a second run, and given what a new cluster needs by a third, which never outlives the root', async () => {
    const before = snapshot(folder);

    const second = await init(['cluster1', 'cluster2']);
    const late = copy('late');
    const third = await init(['cluster1', 'cluster2', 'cluster3'], { folder: late, now: new Date(now.getTime() + 9 * year) });

    assert.equal([second.made, second.kept], [[], ['cluster1', 'cluster2']]);
    assert.equal(snapshot(folder), before);
    assert.equal([third.made, third.kept], [['cluster3'], ['cluster1', 'cluster2']]);
    const added = new X509Certificate(readFileSync(join(late, 'cluster3', 'ca-cert.pem')));
    assert.ok(added.verify(certificate('root-cert.pem').publicKey));
    assert.is(added.validTo, certificate('root-cert.pem').validTo);
    assert.equal(
      Object.entries(snapshot(late)).filter(([path]) => !path.startsWith('cluster3')),
      Object.entries(before),
    );
  });

  test('needs the key of the root only for a new cluster', async () => {
    const spoilt = copy('keyless');
    rmSync(join(spoilt, 'root-key.pem'));

    assert.equal((await init(['cluster1'], { folder: spoilt })).kept, ['cluster1']);
    assert.match(String(await thrownBy(() => init(['cluster9'], { folder: spoilt }))), 'is needed to sign for a new cluster');
    assert.not(existsSync(join(spoilt, 'cluster9')));
  });

  const spoil: Readonly<Record<string, (folder: string) => void>> = {
    'ca-key.pem: is not the key': (ca) => cpSync(join(ca, 'cluster2', 'ca-key.pem'), join(ca, 'cluster1', 'ca-key.pem')),
    'ca-cert.pem: holds no certificate': (ca) => writeFileSync(join(ca, 'cluster1', 'ca-cert.pem'), 'x'),
    'lacks ca-key.pem': (ca) => rmSync(join(ca, 'cluster1', 'ca-key.pem')),
    'does not lead': (ca) => {
      const text = readFileSync(join(ca, 'cluster2', 'ca-cert.pem'));
      for (const file of ['cert-chain.pem', 'root-cert.pem']) writeFileSync(join(ca, 'cluster1', file), text);
    },
    'root-key.pem: is not the key': (ca) => {
      rmSync(join(ca, 'cluster1'), { recursive: true });
      cpSync(join(ca, 'cluster2', 'ca-key.pem'), join(ca, 'root-key.pem'));
    },
  };
  for (const [what, change] of Object.entries(spoil))
    test(`is refused when files do not fit together: ${what}`, async () => {
      const spoilt = copy(`spoilt-${what.replaceAll(/\W/g, '')}`);
      change(spoilt);
      const before = snapshot(spoilt);

      const error = (await thrownBy(() => init(['cluster1'], { folder: spoilt }))) as Error;

      assert.ok(error instanceof IsthmusError);
      assert.match(String(`${(error as IsthmusError).where}: ${error.message}`), what);
      assert.not.match(String(`${error.message}${(error as IsthmusError).hint}`), 'PRIVATE');
      assert.equal(snapshot(spoilt), before);
    });

  test('is refused after its end', async () => {
    const error = await thrownBy(() => init(['cluster1'], { now: new Date(now.getTime() + 11 * year) }));

    assert.match(String(error), 'ended on');
  });

  test('is not put into a folder that holds something else', async () => {
    const other = join(base, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'notes.txt'), 'mine');

    assert.match(String(await thrownBy(() => init(['cluster1'], { folder: other }))), 'but other files');
    assert.equal(readdirSync(other), ['notes.txt']);
  });

  test('can be a root of someone else, with an elliptic curve', async () => {
    const theirs = join(base, 'theirs');
    mkdirSync(theirs);
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-nodes', '-keyout', join(theirs, 'root-key.pem')];
    openssl('req', '-x509', ...key, '-subj', '/O=Example/OU=PKI/CN=Corporate root', '-days', '3650', '-out', join(theirs, 'root-cert.pem'));

    await init(['cluster1'], { folder: theirs, now: new Date() });

    assert.match(openssl('verify', '-CAfile', join(theirs, 'root-cert.pem'), join(theirs, 'cluster1', 'ca-cert.pem')), ': OK');
    assert.match(openssl('x509', '-in', join(theirs, 'cluster1', 'ca-cert.pem'), '-noout', '-issuer'), /OU ?= ?PKI/);
  });

  test('appears whole or not at all: where nothing can be written, nothing is', async () => {
    const full = copy('full');
    rmSync(join(full, 'cluster2'), { recursive: true });
    renameSync(join(full, 'cluster1'), join(full, 'kept'));
    mkdirSync(join(full, 'cluster1'));
    writeFileSync(join(full, 'cluster1', 'half'), '');

    const error = await thrownBy(() => createPrivateFiles().create(join(full, 'cluster1'), { 'ca-key.pem': 'x', 'a/b': 'y' }));

    assert.match(String(error), 'there is something already');
    assert.equal(readdirSync(full).sort(), ['cluster1', 'kept', 'root-cert.pem', 'root-key.pem']);
    chmodSync(full, 0o700);
  });
});

function snapshot(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .filter((path) => statSync(join(folder, path)).isFile());
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

function thrown(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  throw new Error('expected openssl to refuse it');
}
