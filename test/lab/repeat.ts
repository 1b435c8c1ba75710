// Something that is done again and again in the background until it is stopped.
import { setTimeout as sleep } from 'node:timers/promises';

export interface Repeating {
  /** Returns when the last round has ended. */
  stop(): Promise<void>;
}

/** Runs `work` five times a second. */
export function repeat(work: () => Promise<void>): Repeating {
  const stopping = new AbortController();
  const done = loop(work, stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await done;
    },
  };
}

async function loop(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // An API server that is down or slow is part of what tests do to it: the next round finds it again.
    await work().catch(() => undefined);
    await sleep(200, undefined, { signal }).catch(() => undefined);
  }
}
