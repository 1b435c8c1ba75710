// Ends runs of the CLI with kill -9, and lets the time pass after which the next run may begin.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Running } from '../helpers/shell.ts';
import { waitFor } from '../lab/wait.ts';
import type { Clusters } from './state.ts';

const lease = '/apis/coordination.k8s.io/v1/namespaces/isthmus-system/leases/isthmus';

/** Numbers in [0, 1) that a seed repeats (mulberry32). */
export function randoms(start: number, count: number): number[] {
  let state = start;
  return Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  });
}

/**
 * Kills a run after a while, unless it has ended by then.
 * @param whom the process alone, or with it the helm that it has started, as the loss of a machine would
 */
export async function killAfter({ child }: Running, delayMs: number, whom: 'process' | 'group'): Promise<void> {
  await sleep(delayMs);
  const pid = child.pid ?? 0;
  if (groupExists(pid)) process.kill(whom === 'group' ? -pid : pid, 'SIGKILL');
}

/** Returns when nothing of a killed run is at work any more and its Leases may be taken: the clock of the Leases is turned back. */
export async function outlive({ child, outcome }: Running, { clusters }: Clusters): Promise<void> {
  await outcome;
  await waitFor('the helm of a killed run to end', async () => !groupExists(child.pid ?? 0), 60_000);
  for (const { client } of clusters)
    if ((await client.get(lease)) !== undefined) await client.mergePatch(lease, { spec: { renewTime: '2020-01-01T00:00:00.000000Z' } });
}

function groupExists(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}
