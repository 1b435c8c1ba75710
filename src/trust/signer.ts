// What istiod of one cluster signs with, read from files and checked before anyone relies on it.
import { createPrivateKey, type X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { parseCertificates } from '../base/certificates.ts';
import { failure, type IsthmusError, messageOf } from '../base/errors.ts';
import type { Files } from '../system/types.ts';
import { type Signer, signerFiles } from './types.ts';

/** Larger than any chain of certificates; bytes. */
const maxPemBytes = 1024 * 1024;

/**
 * Reads the four files of one cluster.
 * @param folder absolute path of the cluster's own folder
 * @throws IsthmusError when a file is missing, the key is not the certificate's, the chain does not lead to the root, or a
 * certificate is not valid at `now`; it never repeats anything of a key
 */
export async function readSigner(files: Pick<Files, 'read' | 'exists'>, folder: string, now: Date): Promise<Signer> {
  const missing: string[] = [];
  for (const file of signerFiles) if (!(await files.exists(join(folder, file)))) missing.push(file);
  if (missing.length > 0)
    throw failure(`lacks ${missing.join(', ')}`, {
      where: folder,
      hint: '`isthmus ca init` makes them, from the root of the other clusters.',
    });
  const [certificate, key, chain, root] = await Promise.all(signerFiles.map((file) => files.read(join(folder, file), maxPemBytes)));
  const signer = { 'ca-cert.pem': certificate ?? '', 'ca-key.pem': key ?? '', 'cert-chain.pem': chain ?? '', 'root-cert.pem': root ?? '' };
  checkSigner(signer, folder, now);
  return signer;
}

/** @throws IsthmusError that names the file and what is wrong with it */
export function checkSigner(signer: Signer, folder: string, now: Date): void {
  const [certificate] = certificatesOf(signer, 'ca-cert.pem', folder);
  if (!certificate?.ca) throw wrong(folder, 'ca-cert.pem', 'is not the certificate of an authority');
  if (!isKeyOf(signer['ca-key.pem'], certificate)) throw wrong(folder, 'ca-key.pem', 'is not the key of ca-cert.pem');
  const chain = [...certificatesOf(signer, 'cert-chain.pem', folder), ...certificatesOf(signer, 'root-cert.pem', folder)];
  const roots = new Set(certificatesOf(signer, 'root-cert.pem', folder).map(({ fingerprint256 }) => fingerprint256));
  const path = pathToRoot(certificate, chain, roots);
  if (path === undefined) throw wrong(folder, 'cert-chain.pem', 'does not lead from ca-cert.pem to root-cert.pem');
  for (const each of path) checkDates(each, folder, now);
}

/** Whether the PEM text is the private key of the certificate. */
export function isKeyOf(pem: string, certificate: X509Certificate): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(pem));
  } catch {
    return false;
  }
}

function certificatesOf(signer: Signer, file: 'ca-cert.pem' | 'cert-chain.pem' | 'root-cert.pem', folder: string) {
  try {
    const certificates = parseCertificates(signer[file]);
    if (certificates.length > 0) return certificates;
  } catch (error) {
    throw wrong(folder, file, `holds no readable certificate: ${messageOf(error)}`);
  }
  throw wrong(folder, file, 'holds no certificate');
}

function pathToRoot(
  certificate: X509Certificate,
  chain: readonly X509Certificate[],
  roots: ReadonlySet<string>,
): readonly X509Certificate[] | undefined {
  const path = [certificate];
  for (let last = certificate; !roots.has(last.fingerprint256); ) {
    const known = new Set(path.map(({ fingerprint256 }) => fingerprint256));
    const issuer = chain.find((each) => !known.has(each.fingerprint256) && last.checkIssued(each) && last.verify(each.publicKey));
    if (issuer === undefined) return undefined;
    path.push(issuer);
    last = issuer;
  }
  return path;
}

function checkDates({ subject, validFrom, validTo }: X509Certificate, folder: string, now: Date): void {
  const name = subject.replaceAll('\n', ', ');
  if (Date.parse(validTo) <= now.getTime()) throw failure(`the certificate of ${name} ended on ${validTo}`, { where: folder });
  if (Date.parse(validFrom) > now.getTime())
    throw failure(`the certificate of ${name} begins on ${validFrom}`, { where: folder, hint: 'Is the clock of this machine right?' });
}

function wrong(folder: string, file: string, what: string): IsthmusError {
  return failure(what, { where: join(folder, file), hint: 'Put the right file there. isthmus changes no file that it finds.' });
}
