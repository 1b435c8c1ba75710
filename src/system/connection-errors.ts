// Says in words why an API server could not be reached or was not trusted.
import type { PeerCertificate } from 'node:tls';
import { type ErrorDetails, failure, type IsthmusError, messageOf } from '../base/errors.ts';

type Explanation = readonly [message: string, hint?: string];

const untrusted: Explanation = [
  'the certificate of the API server is not signed by the certificate authority of the kubeconfig',
  'Was the cluster made again, or does a proxy open the connection? Fetch the kubeconfig again.',
];
const broken: Explanation = ['the connection was closed before the answer was complete'];

const explanations: ReadonlyMap<string, Explanation> = new Map<string, Explanation>([
  ['ENOTFOUND', ['the name of the API server is not known to DNS']],
  ['EAI_AGAIN', ['DNS did not answer for the name of the API server']],
  ['ECONNREFUSED', ['nothing listens at the address of the API server']],
  ['EHOSTUNREACH', ['there is no way to the address of the API server']],
  ['ENETUNREACH', ['there is no way to the network of the API server']],
  ['ETIMEDOUT', ['the API server did not answer in time']],
  ['ECONNRESET', broken],
  ['EPIPE', broken],
  ['EPROTO', ['the server does not speak TLS as expected', 'Is the port right, and no plain HTTP server behind it?']],
  ['ERR_SSL_WRONG_VERSION_NUMBER', ['the server does not speak TLS', 'Is the port right, and no plain HTTP server behind it?']],
  ['ABORT_ERR', ['stopped']],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', untrusted],
  ['SELF_SIGNED_CERT_IN_CHAIN', untrusted],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', untrusted],
  ['UNABLE_TO_GET_ISSUER_CERT', untrusted],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', untrusted],
  ['CERT_SIGNATURE_FAILURE', untrusted],
  ['CERT_UNTRUSTED', untrusted],
  ['CERT_HAS_EXPIRED', ['the certificate of the API server has expired']],
  ['CERT_NOT_YET_VALID', ['the certificate of the API server is not valid yet', 'Compare the clocks of this machine and of the server.']],
  ['ERR_TLS_CERT_ALTNAME_INVALID', ['the certificate of the API server is for other names']],
]);

/** Codes after which the same request may succeed a moment later. */
export const passingCodes: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN']);

/** What Node calls the failure, `ECONNRESET`, `CERT_HAS_EXPIRED`; empty when it has no code. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Whether the dates of the server's certificate are the reason. */
export function isDateProblem(error: unknown): boolean {
  return codeOf(error) === 'CERT_HAS_EXPIRED' || codeOf(error) === 'CERT_NOT_YET_VALID';
}

/** The error for people, with the names or dates of the certificate where they are the reason and known. */
export function connectionError(error: Error, where: string, certificate?: PeerCertificate): IsthmusError {
  const [message, hint] = explanations.get(codeOf(error)) ?? [messageOf(error)];
  const details: ErrorDetails = hint === undefined ? { where } : { where, hint };
  return failure(`${message}${certificateText(error, certificate)}`, { ...details, cause: { code: codeOf(error) } });
}

function certificateText(error: Error, certificate?: PeerCertificate): string {
  if (certificate !== undefined && isDateProblem(error))
    return ` (valid from ${isoDate(certificate.valid_from)} to ${isoDate(certificate.valid_to)})`;
  if (!('cert' in error)) return '';
  const { subjectaltname, subject } = error.cert as Partial<PeerCertificate>;
  return ` (${subjectaltname ?? subject?.CN ?? 'none'})`;
}

function isoDate(text: string): string {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : date.toISOString();
}
