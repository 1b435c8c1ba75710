// Makes the folder of a mesh's root of trust, or adds to it what new clusters need. What is there already stays as it is.
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { parseCertificates } from '../base/certificates.ts';
import { failure } from '../base/errors.ts';
import type { Files, PrivateFiles } from '../system/types.ts';
import { createIntermediate, createRoot, type KeyedCertificate } from './certificates.ts';
import { isKeyOf, readSigner } from './signer.ts';
import { rootFiles, type Signer } from './types.ts';

export interface InitInput {
  readonly files: Pick<Files, 'read' | 'exists' | 'list'>;
  readonly privateFiles: PrivateFiles;
  /** Absolute path. */
  readonly folder: string;
  /** Name of the mesh; the organization of its certificates. */
  readonly mesh: string;
  /** Names of the clusters that get an intermediate. */
  readonly clusters: readonly string[];
  /** Name of istiod's Service, `istiod.istio-system.svc`. */
  readonly dnsName: string;
  readonly now: Date;
}

export interface Initialized {
  /** Folders that were made: `root`, then clusters by name. */
  readonly made: readonly string[];
  /** Clusters whose files were there and are sound. */
  readonly kept: readonly string[];
  readonly root: { readonly fingerprint: string; readonly validTo: Date };
}

/**
 * Writes root-cert.pem and root-key.pem, and for each cluster a folder with the files of Istio's Secret `cacerts`. A folder appears
 * whole or not at all, so a run that dies is finished by the next; nothing that exists is written again.
 * @throws IsthmusError when the folder holds something else, files in it do not fit together, or the root's key is needed and missing
 */
export async function initTrust(input: InitInput): Promise<Initialized> {
  const { files, folder } = input;
  if (!(await files.exists(join(folder, rootFiles.certificate)))) return makeAll(input);
  const certificate = await readRoot(input);
  const kept: string[] = [];
  for (const cluster of input.clusters) if (await isSound(input, cluster, certificate)) kept.push(cluster);
  const made = input.clusters.filter((cluster) => !kept.includes(cluster));
  if (made.length > 0) await addClusters(input, made, certificate);
  return { made, kept, root: describeRoot(certificate) };
}

async function addClusters(input: InitInput, clusters: readonly string[], certificate: X509Certificate): Promise<void> {
  const root = await readRootKey(input, certificate);
  for (const cluster of clusters)
    await input.privateFiles.create(join(input.folder, cluster), signerOf(root, await createIntermediate(root, { ...input, cluster })));
}

async function makeAll(input: InitInput): Promise<Initialized> {
  const { files, folder, mesh, clusters, now } = input;
  if ((await files.exists(folder)) && (await files.list(folder)).length > 0)
    throw failure(`holds no ${rootFiles.certificate}, but other files`, {
      where: folder,
      hint: 'Name another folder with --out; nothing was written.',
    });
  const root = await createRoot(mesh, now);
  const contents: Record<string, string> = { [rootFiles.certificate]: root.certificate, [rootFiles.key]: root.key };
  for (const cluster of clusters) {
    const signer = signerOf(root, await createIntermediate(root, { ...input, cluster }));
    for (const [file, text] of Object.entries(signer)) contents[`${cluster}/${file}`] = text;
  }
  await input.privateFiles.create(folder, contents);
  return { made: ['root', ...clusters], kept: [], root: describeRoot(new X509Certificate(root.certificate)) };
}

async function readRoot({ files, folder, now }: InitInput): Promise<X509Certificate> {
  const where = join(folder, rootFiles.certificate);
  const text = await files.read(where);
  const [certificate, ...others] = parseCertificates(text);
  if (certificate === undefined || others.length > 0) throw failure('must hold one certificate', { where });
  if (!certificate.ca) throw failure('is not the certificate of an authority', { where });
  if (Date.parse(certificate.validTo) <= now.getTime()) throw failure(`ended on ${certificate.validTo}`, { where });
  return certificate;
}

async function readRootKey({ files, folder }: InitInput, certificate: X509Certificate): Promise<KeyedCertificate> {
  const where = join(folder, rootFiles.key);
  if (!(await files.exists(where)))
    throw failure('is needed to sign for a new cluster', { where, hint: 'Put the key back from where it is kept, and run this again.' });
  const key = await files.read(where);
  if (!isKeyOf(key, certificate)) throw failure(`is not the key of ${rootFiles.certificate}`, { where });
  return { certificate: certificate.toString(), key };
}

/** False when the cluster has no folder yet; its files were checked when it has one. */
async function isSound({ files, folder, now }: InitInput, cluster: string, root: X509Certificate): Promise<boolean> {
  const own = join(folder, cluster);
  if (!(await files.exists(own))) return false;
  const signer = await readSigner(files, own, now);
  const same = parseCertificates(signer['root-cert.pem']).some(({ fingerprint256 }) => fingerprint256 === root.fingerprint256);
  if (!same) throw failure(`is another root than that of ${folder}`, { where: join(own, 'root-cert.pem') });
  return true;
}

/** The chain ends with the root, as Istio's own scripts write it. */
function signerOf(root: KeyedCertificate, own: KeyedCertificate): Signer {
  return {
    'ca-cert.pem': own.certificate,
    'ca-key.pem': own.key,
    'cert-chain.pem': `${own.certificate}${root.certificate}`,
    'root-cert.pem': root.certificate,
  };
}

function describeRoot({ fingerprint256, validTo }: X509Certificate): Initialized['root'] {
  return { fingerprint: fingerprint256, validTo: new Date(validTo) };
}
