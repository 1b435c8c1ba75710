// Says in words why an API server could not be reached or was not trusted.
import { TLSSocket } from 'node:tls';
import { type ErrorDetails, failure, type IsthmusError, messageOf } from '../base/errors.ts';

/** A failure on the way, before or while an answer was read. `code` is what Node calls it, or one of ours. */
export interface ConnectionProblem {
  readonly error: Error;
  /** The socket, which still knows the server's certificate. */
  readonly socket?: unknown;
}

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

/** The error for people, with the dates or names of the certificate where that is the reason. */
export function connectionError({ error, socket }: ConnectionProblem, where: string): IsthmusError {
  const [message, hint] = explanations.get(codeOf(error)) ?? [messageOf(error)];
  const details: ErrorDetails = hint === undefined ? { where } : { where, hint };
  return failure(`${message}${certificateText(error, socket)}`, { ...details, cause: { code: codeOf(error) } });
}

function certificateText(error: Error, socket: unknown): string {
  const code = codeOf(error);
  if (!(socket instanceof TLSSocket) || !explanations.has(code)) return '';
  const certificate = socket.getPeerCertificate();
  if (certificate?.valid_to === undefined) return '';
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return ` (valid from ${isoDate(certificate.valid_from)} to ${isoDate(certificate.valid_to)})`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return ` (${certificate.subjectaltname ?? certificate.subject?.CN ?? 'none'})`;
  return '';
}

function isoDate(text: string): string {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : date.toISOString();
}
