// The real clock.
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from './types.ts';

/** The machine's clock; `sleep` ends early, without an error, when its signal is aborted. */
export function createClock(): Clock {
  return { now: () => new Date(), sleep };
}

async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted) return;
    throw error;
  }
}
