// The errors that people read: what happened, where, and what to do. Anything else that is thrown is our own bug.

/** Process exit codes, part of the public interface: 0 ok, 1 failed, 2 usage or spec, 3 findings or verification failed. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, findings: 3 } as const;

export type ErrorKind = 'usage' | 'failed' | 'findings';

export interface ErrorDetails {
  /** Where: `mesh.yaml:6:11`, a cluster, or an object such as `Service istio-system/istiod-ilb`. */
  readonly where?: string;
  /** What the reader can do about it, one sentence or a command. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** An expected failure with a message for people. `kind` decides the exit code; it never carries a secret. */
export class IsthmusError extends Error {
  readonly kind: ErrorKind;
  readonly where: string | undefined;
  readonly hint: string | undefined;

  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.name = 'IsthmusError';
    this.kind = kind;
    this.where = details.where;
    this.hint = details.hint;
  }
}

/** A mistake in a command line, in mesh.yaml or in another input file; exit code 2. */
export function usageError(message: string, details?: ErrorDetails): IsthmusError {
  return new IsthmusError('usage', message, details);
}

/** Something outside went wrong: a cluster, helm, a file; exit code 1. */
export function failure(message: string, details?: ErrorDetails): IsthmusError {
  return new IsthmusError('failed', message, details);
}

/** The exit code that belongs to anything thrown. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof IsthmusError)) return exitCodes.failed;
  return exitCodes[error.kind];
}

/** The text for stderr: `Error: where: message` and the hint on its own line. No stack, no cause chain. */
export function formatError(error: IsthmusError): string {
  const where = error.where === undefined ? '' : `${error.where}: `;
  const hint = error.hint === undefined ? '' : `\n  ${error.hint.replaceAll('\n', '\n  ')}`;
  return `Error: ${where}${error.message}${hint}\n`;
}

/** The message of anything thrown, on one line, for use inside another message. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s*\n\s*/g, ' ').trim();
}

/** What a failed API request carries as its cause, so that stages can tell a missing permission from an outage. */
export interface HttpCause {
  readonly status: number;
  /** `reason` of the Status object, such as Forbidden, Conflict or AlreadyExists. */
  readonly reason?: string;
}

/** The HTTP status behind an error of a ClusterReader or ClusterClient; undefined when no answer came. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof IsthmusError)) return undefined;
  const { cause } = error;
  if (typeof cause !== 'object' || cause === null || !('status' in cause)) return undefined;
  return typeof cause.status === 'number' ? cause.status : undefined;
}
