// Waiting for something to become true, with a name for what never did.
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks again and again until `probe` gives a value.
 * @param what ends the sentence "gave up waiting for ..."
 * @param probe undefined or false means not yet; what it throws is shown when time is up
 */
export async function waitFor<T>(what: string, probe: () => Promise<T | undefined | false>, timeoutMs = 30_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`gave up waiting for ${what}`, { cause: last });
    await sleep(50);
  }
}
