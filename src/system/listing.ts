// Reads collections page by page, and again from the start when the server has forgotten where it was.
import type { KubeObject } from '../base/objects.ts';
import { pageOf, type Question, tableOf } from './answers.ts';
import { type Api, ask } from './api.ts';
import type { ApiAnswer } from './transport.ts';
import type { ListOptions } from './types.ts';

const accepts = {
  objects: 'application/json',
  metadata: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
  table: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io',
} as const;

const pageSize = 500;
/** Times a list is started again when its continue token expires in between. */
const maxRestarts = 3;

/** Every object of a collection through `take`; undefined when the kind is not served. */
export function collectAll<T>(
  api: Api,
  path: string,
  { take, ...options }: ListOptions & { readonly take: (object: KubeObject) => T },
): Promise<readonly T[] | undefined> {
  const read = (answer: ApiAnswer, question: Question) => {
    const { items, next } = pageOf(answer, question);
    return { items: items.map(take), next };
  };
  return readPages(api, {
    path,
    accept: options.metadataOnly === true ? accepts.metadata : accepts.objects,
    query: queryOf(options),
    read,
  });
}

/** The cells of the named columns, a row each; undefined when the kind is not served. */
export function tableRows(
  api: Api,
  path: string,
  { columns, ...options }: ListOptions & { readonly columns: readonly string[] },
): Promise<readonly (readonly unknown[])[] | undefined> {
  const read = (answer: ApiAnswer, question: Question) => tableOf(answer, question, columns);
  return readPages(api, { path, accept: accepts.table, query: { ...queryOf(options), includeObject: 'None' }, read });
}

interface Pages<T> {
  readonly path: string;
  readonly accept: string;
  readonly query: Readonly<Record<string, string>>;
  read(answer: ApiAnswer, question: Question): { readonly items: readonly T[]; readonly next: string };
}

async function readPages<T>(api: Api, pages: Pages<T>): Promise<readonly T[] | undefined> {
  for (let restarts = 0; ; restarts++) {
    const items = await readOnce(api, pages, restarts < maxRestarts);
    if (items !== 'expired') return items;
  }
}

async function readOnce<T>(api: Api, pages: Pages<T>, restartable: boolean): Promise<readonly T[] | undefined | 'expired'> {
  const items: T[] = [];
  let next = '';
  do {
    const query = new URLSearchParams({ limit: String(pageSize), ...pages.query, ...(next === '' ? {} : { continue: next }) });
    const path = `${pages.path}${pages.path.includes('?') ? '&' : '?'}${query}`;
    const request = { method: 'GET', path, accept: pages.accept } as const;
    const answer = await ask(api, request, restartable && next !== '' ? [404, 410] : [404]);
    if (answer.status === 404) return undefined;
    if (answer.status === 410) return 'expired';
    const page = pages.read(answer, api.question(request));
    for (const item of page.items) items.push(item);
    next = page.next;
  } while (next !== '');
  return items;
}

function queryOf({ labelSelector, fieldSelector }: ListOptions): Record<string, string> {
  return { ...(labelSelector === undefined ? {} : { labelSelector }), ...(fieldSelector === undefined ? {} : { fieldSelector }) };
}
