// Warnings that the cluster itself gave, to show why something does not get ready.
import * as z from 'zod';
import { escapeText } from '../base/names.ts';
import type { ClusterReader } from '../system/types.ts';

const Event = z.object({
  type: z.string().optional(),
  reason: z.string().default(''),
  message: z.string().default(''),
  lastTimestamp: z.string().nullish(),
  eventTime: z.string().nullish(),
  involvedObject: z.object({ kind: z.string().default(''), name: z.string().default('') }).prefault({}),
});
type Event = z.infer<typeof Event>;

const most = 3;
const longest = 300;

/** The latest warnings of a namespace (of one object when named), a line each; none when they may not be read. */
export async function eventsOf(client: ClusterReader, namespace: string, object?: string): Promise<readonly string[]> {
  const path = `/api/v1/namespaces/${namespace}/events`;
  const fields = object === undefined ? {} : { fieldSelector: `involvedObject.name=${object}` };
  const events = await client.collect(path, (event) => Event.parse(event), fields).catch(() => undefined);
  const warnings = (events ?? []).filter(({ type }) => type === 'Warning' || object !== undefined);
  return [...new Set(warnings.sort((a, b) => timeOf(a).localeCompare(timeOf(b))).map(lineOf))].slice(-most);
}

function timeOf({ lastTimestamp, eventTime }: Event): string {
  return lastTimestamp ?? eventTime ?? '';
}

function lineOf({ involvedObject, reason, message }: Event): string {
  return `${involvedObject.kind} ${involvedObject.name}: ${reason}: ${escapeText(message)}`.slice(0, longest);
}
