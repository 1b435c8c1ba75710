// The one setting of the host that the lab changes: every node is a machine to Kubernetes, but all share the limits of one.
import { readFileSync, writeFileSync } from 'node:fs';

const file = '/proc/sys/fs/inotify/max_user_instances';
const enough = 2048;

/** Raises the number of file watchers, which is meant for one node; it is never lowered, because other labs may be running. */
export function raiseLimits(): void {
  if (Number(readFileSync(file, 'utf8')) < enough) writeFileSync(file, String(enough));
}
