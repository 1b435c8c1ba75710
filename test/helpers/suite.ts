// The only importer of uvu. A suite runs itself (uvu passes silently when run() is forgotten) and every test has a time-out.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

export { assert };

export interface TestResult {
  readonly suite: string;
  readonly test: string;
  readonly passed: boolean;
  readonly seconds: number;
}

/** Outcome of every test of this process, in order, for the runner's table. */
export const results: TestResult[] = [];

/** Seconds that each suite took before its first test. */
export const preparations: Pick<TestResult, 'suite' | 'seconds'>[] = [];

export interface SuiteApi {
  test(title: string, body: () => unknown, options?: { readonly timeoutMs?: number }): void;
  before(hook: () => unknown): void;
  after(hook: () => unknown): void;
}

const defaultTimeoutMs = 60_000;

/**
 * Defines and runs a suite.
 * @param title what is tested, a noun
 * @param define adds the tests; titles are sentences; a suite without a test is an error
 */
export function describe(title: string, define: (api: SuiteApi) => void): void {
  const tests = suite(title);
  let count = 0;
  // uvu drops what a before hook throws and counts no test as failed, so every test fails with it instead.
  let broken: { readonly error: unknown } | undefined;
  define({
    test: (name, body, options = {}) => {
      count++;
      const run = () => {
        if (broken !== undefined) throw broken.error;
        return body();
      };
      tests(name, () => timed(title, name, run, options.timeoutMs ?? defaultTimeoutMs));
    },
    before: (hook) =>
      void tests.before(async () => {
        const start = performance.now();
        try {
          await hook();
        } catch (error) {
          broken ??= { error };
        } finally {
          preparations.push({ suite: title, seconds: (performance.now() - start) / 1000 });
        }
      }),
    after: (hook) => void tests.after(async () => void (await hook())),
  });
  if (count === 0) throw new Error(`suite "${title}" has no test`);
  tests.run();
}

async function timed(suiteTitle: string, test: string, body: () => unknown, timeoutMs: number): Promise<void> {
  const start = performance.now();
  let passed = false;
  try {
    await withTimeout(body, timeoutMs);
    passed = true;
  } finally {
    results.push({ suite: suiteTitle, test, passed, seconds: (performance.now() - start) / 1000 });
  }
}

async function withTimeout(body: () => unknown, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([(async () => body())(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for `body` to throw and returns what it threw. */
export async function thrownBy(body: () => unknown): Promise<unknown> {
  try {
    await body();
  } catch (error) {
    return error;
  }
  throw new assert.Assertion({ message: 'expected an error, none was thrown' } as ConstructorParameters<typeof assert.Assertion>[0]);
}
