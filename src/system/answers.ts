// Reads the answers of an API server: JSON or an error for people, never a guess.
import { X509Certificate } from 'node:crypto';
import * as z from 'zod';
import { failure, type HttpCause, type IsthmusError } from '../base/errors.ts';
import { escapeText } from '../base/names.ts';
import type { KubeObject } from '../base/objects.ts';
import type { ApiAnswer, ApiRequest } from './transport.ts';

const Status = z.object({
  kind: z.literal('Status'),
  status: z.string().optional(),
  message: z.string().optional(),
  reason: z.string().optional(),
  details: z
    .object({
      causes: z.array(z.object({ reason: z.string().optional(), message: z.string().optional(), field: z.string().optional() })).nullish(),
    })
    .nullish(),
});
type Status = z.infer<typeof Status>;

const List = z
  .looseObject({
    kind: z.string(),
    apiVersion: z.string(),
    metadata: z.looseObject({ continue: z.string().optional() }).optional(),
    items: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) })).nullable(),
  })
  // API servers write null for an empty list of metadata, and for no other.
  .refine(({ kind, items }) => items !== null || kind === 'PartialObjectMetadataList');

const Table = z.looseObject({
  kind: z.literal('Table'),
  metadata: z.looseObject({ continue: z.string().optional() }).optional(),
  columnDefinitions: z.array(z.looseObject({ name: z.string() })),
  // The API server leaves rows out, or writes null, when there are none.
  rows: z.array(z.looseObject({ cells: z.array(z.unknown()) })).nullish(),
});

/** One page of a list. */
export interface Page {
  readonly items: readonly KubeObject[];
  /** Token of the next page; empty at the end. */
  readonly next: string;
}

/** What was asked, for the message of an error. */
export interface Question {
  readonly request: Pick<ApiRequest, 'method' | 'path'>;
  readonly where: string;
  readonly certificate?: string | Buffer | undefined;
}

const hints: Readonly<Record<number, string>> = {
  401: 'Log in to the cluster again, or renew the token or certificate in the kubeconfig.',
  403: 'Ask for this permission, or use a context that has it.',
  429: 'The API server is overloaded; run the command again later.',
};

const longestMessage = 600;

/** The parsed JSON of a successful answer. */
export function jsonOf(answer: ApiAnswer, question: Question): unknown {
  if (answer.status < 200 || answer.status > 299) throw statusError(answer, question);
  if (!answer.contentType.includes('json')) throw notAnApi(answer, question);
  try {
    return JSON.parse(answer.text) as unknown;
  } catch {
    throw failure(`the answer to ${nameOf(question)} is not complete JSON`, { where: question.where });
  }
}

/** The parsed JSON of a successful answer that must be one object. Reviews have no name. */
export function objectOf(answer: ApiAnswer, question: Question): KubeObject {
  const value = jsonOf(answer, question);
  if (isObject(value)) return value;
  throw failure(`the answer to ${nameOf(question)} is not a Kubernetes object`, { where: question.where });
}

/** One page of a list; an answer without `items` is an error, because it must not count as "there are none". */
export function pageOf(answer: ApiAnswer, question: Question): Page {
  const parsed = List.safeParse(jsonOf(answer, question));
  if (!parsed.success) throw failure(`the answer to ${nameOf(question)} is not a list of objects`, { where: question.where });
  const { kind, apiVersion, items, metadata } = parsed.data;
  // Lists of built-in kinds leave kind and apiVersion out of their items.
  const own = { kind: kind.replace(/List$/, ''), apiVersion };
  return { items: (items ?? []).map((item) => ({ ...own, ...item }) as unknown as KubeObject), next: metadata?.continue ?? '' };
}

/** One page of a Table: the cells of `columns`, in that order. */
export function tableOf(
  answer: ApiAnswer,
  question: Question,
  columns: readonly string[],
): { readonly items: readonly (readonly unknown[])[]; readonly next: string } {
  const parsed = Table.safeParse(jsonOf(answer, question));
  if (!parsed.success) throw failure(`the answer to ${nameOf(question)} is not a Table`, { where: question.where });
  const { columnDefinitions, rows, metadata } = parsed.data;
  const places = columns.map((column) => columnDefinitions.findIndex(({ name }) => name === column));
  const items = (rows ?? []).map(({ cells }) => places.map((place) => (place < 0 ? undefined : cells[place])));
  return { items, next: metadata?.continue ?? '' };
}

/** The error behind an answer that is not 2xx; its cause carries the HTTP status. */
export function statusError(answer: ApiAnswer, question: Question): IsthmusError {
  const status = readStatus(answer.text);
  if (status === undefined && answer.status !== 401 && answer.status !== 429) return notAnApi(answer, question);
  const cause: HttpCause = { status: answer.status, ...(status?.reason === undefined ? {} : { reason: status.reason }) };
  const expired = answer.status === 401 ? expiryOf(question.certificate) : undefined;
  const text = expired ?? shorten(messageOf(status));
  const hint = answer.status === 409 ? conflictHint(status) : hints[answer.status];
  const details = hint === undefined ? { cause } : { cause, hint };
  return failure(`${nameOf(question)}: ${answer.status} ${text}`.trimEnd(), { where: question.where, ...details });
}

function messageOf(status: Status | undefined): string {
  const conflicts = causesOf(status).map(({ message, field }) => `${message ?? 'conflict'}${field === undefined ? '' : `: ${field}`}`);
  if (conflicts.length > 0) return conflicts.join('; ');
  return status?.message ?? status?.reason ?? '';
}

function causesOf(status: Status | undefined) {
  return (status?.details?.causes ?? []).filter(({ reason }) => reason === 'FieldManagerConflict');
}

function conflictHint(status: Status | undefined): string | undefined {
  if (causesOf(status).length === 0) return undefined;
  return 'Someone else manages this field. Take it out of their manifests, or make it the same there.';
}

function expiryOf(certificate: string | Buffer | undefined): string | undefined {
  if (certificate === undefined) return undefined;
  const end = new Date(new X509Certificate(certificate).validTo);
  if (end.getTime() > Date.now()) return undefined;
  return `Unauthorized: the client certificate of the kubeconfig expired on ${end.toISOString()}`;
}

function notAnApi(answer: ApiAnswer, question: Question): IsthmusError {
  const what = answer.contentType.split(';')[0] || 'no content type';
  return failure(`${nameOf(question)}: answered ${answer.status} with ${escapeText(what)}, which is no answer of a Kubernetes API server`, {
    where: question.where,
    hint: 'A proxy or a sign-in page may stand in between; try the URL of the API server with curl.',
    cause: { status: answer.status } satisfies HttpCause,
  });
}

function readStatus(text: string): Status | undefined {
  try {
    return Status.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is KubeObject {
  const shape = z.looseObject({ kind: z.string(), apiVersion: z.string(), metadata: z.looseObject({}) });
  return shape.safeParse(value).success;
}

function nameOf({ request }: Question): string {
  return `${request.method} ${request.path.split('?')[0]}`;
}

function shorten(text: string): string {
  const safe = escapeText(text);
  return safe.length > longestMessage ? `${safe.slice(0, longestMessage)}...` : safe;
}
