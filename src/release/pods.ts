// Why a pod is not ready, in its own words.
import { escapeText } from '../base/names.ts';
import type { ClusterReader } from '../system/types.ts';
import { Pod } from './workload-types.ts';

const longest = 400;
const logLines = 5;

export async function readPods(
  client: ClusterReader,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): Promise<readonly Pod[]> {
  const labelSelector = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  return (await client.collect(`/api/v1/namespaces/${namespace}/pods`, (pod) => Pod.parse(pod), { labelSelector })) ?? [];
}

/** What its container waits for or said when it ended; the end of its log when it said nothing. */
export async function reasonOf(pod: Pod, client: ClusterReader, namespace: string): Promise<string> {
  for (const { state, lastState } of pod.status.containerStatuses) {
    const said = state.terminated?.message ?? lastState.terminated?.message;
    if (said !== undefined && said.trim() !== '') return clean(said);
    const waits = waitingFor(state);
    if (waits !== undefined) return waits;
  }
  const log = await client.podLog(namespace, pod.metadata.name, { tailLines: logLines }).catch(() => '');
  return clean(log) || 'it gave no reason';
}

/** Why containers of these pods are not started; undefined when none says so. */
export function waitingReason(pods: readonly Pod[]): string | undefined {
  return pods.flatMap(({ status }) => status.containerStatuses.flatMap(({ state }) => waitingFor(state) ?? []))[0];
}

function waitingFor({ waiting }: Pod['status']['containerStatuses'][number]['state']): string | undefined {
  if (waiting?.reason === undefined || waiting.reason === 'CrashLoopBackOff') return undefined;
  return clean([waiting.reason, waiting.message].filter((part) => part !== undefined).join(': '));
}

function clean(text: string): string {
  return escapeText(text.trim().replaceAll(/\s*\n\s*/g, '; ')).slice(0, longest);
}
