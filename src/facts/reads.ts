// The reads of one inspection: a few at a time, every answer through a schema, every refusal and malformed answer a problem.
import type * as z from 'zod';
import { IsthmusError, messageOf, statusOf } from '../base/errors.ts';
import type { Problem } from '../findings/types.ts';
import type { ClusterReader, ListOptions } from '../system/types.ts';
import { compareText, examplesOf } from './lists.ts';
import { permissionHint } from './permission.ts';

/** Requests of one inspection that run at the same time. */
const maxConcurrent = 8;

/**
 * Reads that do not fail. `undefined` means not served, not there, or not readable; the last has been reported as a problem
 * (ISM006 for a missing permission, ISM008 for an answer that makes no sense), so it is never mistaken for empty.
 * Only what ends the whole inspection is thrown: a refused login (401), or an error that is a bug.
 */
export interface Reads {
  get<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined>;
  /** What `schema` takes from each object of a collection. Objects that do not fit are left out and reported. */
  list<T>(path: string, schema: z.ZodType<T>, options?: ListOptions): Promise<readonly T[] | undefined>;
  table(path: string, columns: readonly string[], options?: ListOptions): Promise<readonly (readonly unknown[])[] | undefined>;
  /** True when `path` was asked for and could not be read, which is not the same as not served. */
  failed(path: string): boolean;
  report(problem: Problem): void;
  /** Everything reported so far, in an order that does not depend on time. */
  problems(): readonly Problem[];
}

/** Reads through `reader`; problems are kept with the reads. */
export function createReads(reader: ClusterReader): Reads {
  const problems: Problem[] = [];
  const failures = new Set<string>();
  const report = (problem: Problem): void => void problems.push(problem);
  const reportFailure = (path: string, problem: Problem): void => {
    failures.add(path);
    report(problem);
  };
  const limited = limitTo(maxConcurrent);
  const attempt = <T>(path: string, work: () => Promise<T | undefined>): Promise<T | undefined> =>
    limited(() => reporting(path, reportFailure, work));
  return {
    get: (path, schema) =>
      attempt(path, async () => {
        const answer = await reader.get(path);
        return answer === undefined ? undefined : fitting(answer, path, schema, reportFailure);
      }),
    list: (path, schema, options) =>
      attempt(path, async () => {
        const taken = await reader.collect(path, (object) => take(object, schema), options);
        return taken === undefined ? undefined : onlyFitting(taken, path, report);
      }),
    table: (path, columns, options) => attempt(path, () => reader.table(path, columns, options)),
    failed: (path) => failures.has(path),
    report,
    problems: () => [...problems].sort(compareProblems),
  };
}

type ReportFailure = (path: string, problem: Problem) => void;

async function reporting<T>(path: string, report: ReportFailure, work: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const status = statusOf(error);
    if (!(error instanceof IsthmusError) || status === 401) throw error;
    report(path, status === 403 ? forbidden(path) : malformed(path, messageOf(error)));
    return undefined;
  }
}

function forbidden(path: string): Problem {
  return { code: 'ISM006', where: path, message: 'The user of the kubeconfig may not read this', hint: permissionHint(path) };
}

function malformed(path: string, message: string): Problem {
  return { code: 'ISM008', where: path, message };
}

function fitting<T>(answer: unknown, path: string, schema: z.ZodType<T>, report: ReportFailure): T | undefined {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  report(path, malformed(path, `The answer is not what was asked for: ${issueOf(result.error)}`));
  return undefined;
}

type Taken<T> = { readonly data: T } | { readonly name: string; readonly reason: string };

function take<T>(object: unknown, schema: z.ZodType<T>): Taken<T> {
  const result = schema.safeParse(object);
  return result.success ? { data: result.data } : { name: nameOf(object), reason: issueOf(result.error) };
}

function onlyFitting<T>(taken: readonly Taken<T>[], path: string, report: Reads['report']): T[] {
  const bad = taken.flatMap((one) => ('reason' in one ? [`${one.name} (${one.reason})`] : []));
  if (bad.length > 0) report(malformed(path, `Objects that make no sense were left out: ${examplesOf(bad)}`));
  return taken.flatMap((one) => ('data' in one ? [one.data] : []));
}

function nameOf(object: unknown): string {
  if (typeof object !== 'object' || object === null || !('metadata' in object)) return 'an object without metadata';
  const { metadata } = object;
  const named = typeof metadata === 'object' && metadata !== null && 'name' in metadata && typeof metadata.name === 'string';
  return named ? String(metadata.name) : 'an object without a name';
}

function issueOf(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? 'unknown reason' : `${issue.path.map(String).join('.') || 'value'}: ${issue.message}`;
}

function compareProblems(a: Problem, b: Problem): number {
  return compareText(a.code, b.code) || compareText(a.where ?? '', b.where ?? '') || compareText(a.message, b.message);
}

type Limited = <T>(work: () => Promise<T>) => Promise<T>;

function limitTo(count: number): Limited {
  const waiting: (() => void)[] = [];
  let free = count;
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resume) => waiting.push(resume));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
