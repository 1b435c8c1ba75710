// A clock whose time passes only while someone sleeps: sleepers wake in order, at once.
import type { Clock } from '../../src/system/types.ts';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** Starts at `start`; `sleep` lets everything else that can run do so, then jumps to the earliest sleeper. */
export function createFakeClock(start: string): Clock {
  let now = Date.parse(start);
  let sleepers: Sleeper[] = [];
  const wakeEarliest = () => {
    const earliest = sleepers.reduce<Sleeper | undefined>(
      (best, each) => (best === undefined || each.at < best.at ? each : best),
      undefined,
    );
    if (earliest === undefined) return;
    sleepers = sleepers.filter((each) => each !== earliest);
    now = Math.max(now, earliest.at);
    earliest.wake();
  };
  return {
    now: () => new Date(now),
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const stop = () => {
          sleepers = sleepers.filter((each) => each !== sleeper);
          resolve();
        };
        const wake = () => {
          signal?.removeEventListener('abort', stop);
          resolve();
        };
        const sleeper = { at: now + milliseconds, wake };
        sleepers.push(sleeper);
        signal?.addEventListener('abort', stop);
        setImmediate(wakeEarliest);
      }),
  };
}
