// Certificates as text: the PEM blocks of a file, and fingerprints by which roots are compared.
import { X509Certificate } from 'node:crypto';

const pemBlock = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/**
 * The certificates of a PEM text in their order; none when it holds none.
 * @throws Error of node:crypto when a block is no certificate
 */
export function parseCertificates(pem: string): readonly X509Certificate[] {
  return (pem.match(pemBlock) ?? []).map((block) => new X509Certificate(block));
}

/** SHA-256 fingerprints of the roots in a PEM text, each once, in order, joined by spaces; undefined when there is no readable one. */
export function rootFingerprint(pem: string): string | undefined {
  try {
    const roots = new Set(parseCertificates(pem).map(({ fingerprint256 }) => fingerprint256));
    return roots.size === 0 ? undefined : [...roots].sort().join(' ');
  } catch {
    // What is wrong inside the certificate helps nobody: it cannot be used.
    return undefined;
  }
}

/** The beginning of a fingerprint, enough for people to tell roots apart. */
export function shortFingerprint(fingerprint: string): string {
  return `${fingerprint.slice(0, 23)}...`;
}
