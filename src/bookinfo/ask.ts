// Asks BookInfo for its reviews through the API server, and says which pod of which cluster answered.
import * as z from 'zod';
import { messageOf } from '../base/errors.ts';
import type { ClusterReader } from '../system/types.ts';
import { type BookinfoOptions, entrance } from './objects.ts';
import type { Answered, StageResult } from './types.ts';

/** What productpage hands on from reviews: a pod's name, and the cluster that its environment names. */
const Reviews = z.object({ podname: z.string(), clustername: z.string() });

/** One way of dividing requests. */
export type Stage = Pick<StageResult, 'title' | 'shares'>;

/** The ways of dividing requests, in the order of the demo. */
export const stages: readonly Stage[] = [
  { title: 'all requests to v1', shares: { v1: 100, v3: 0 } },
  { title: 'all requests to v3', shares: { v1: 0, v3: 100 } },
  { title: 'half to v1, half to v3', shares: { v1: 50, v3: 50 } },
];

/** One answer, or why there is none. */
export interface Answer {
  readonly workload?: string;
  readonly cluster?: string;
  readonly failure?: string;
}

/** Sends one request through the gateway. */
export async function ask(client: Pick<ClusterReader, 'get'>, { namespace }: BookinfoOptions): Promise<Answer> {
  const path = `/api/v1/namespaces/${namespace}/services/${entrance}/proxy/api/v1/products/0/reviews`;
  try {
    const parsed = Reviews.safeParse(await client.get(path));
    if (!parsed.success) return { failure: 'the answer names no pod' };
    const { podname, clustername } = parsed.data;
    return { workload: podname.replace(/-[^-]+-[^-]+$/, ''), cluster: clustername };
  } catch (error) {
    return { failure: messageOf(error) };
  }
}

/** Counts answers and compares them with what the shares ask for. */
export function judge(stage: Stage, answers: readonly Answer[], options: BookinfoOptions): StageResult {
  const failures = answers.flatMap(({ failure }) => failure ?? []);
  const answered = countAnswers(answers);
  const wanted = new Map<string, number>([
    [`reviews-v1 ${options.primary}`, stage.shares.v1],
    [`reviews-v3 ${options.remote}`, stage.shares.v3],
  ]);
  const unexpected = answered.some(({ workload, cluster }) => (wanted.get(`${workload} ${cluster}`) ?? 0) === 0);
  const missing = [...wanted].some(
    ([key, share]) => share > 0 && !answered.some(({ workload, cluster }) => `${workload} ${cluster}` === key),
  );
  return {
    ...stage,
    requests: answers.length,
    answered,
    failed: failures.length,
    ...(failures[0] === undefined ? {} : { firstFailure: failures[0] }),
    ok: failures.length === 0 && !unexpected && !missing,
  };
}

function countAnswers(answers: readonly Answer[]): Answered[] {
  const counts = new Map<string, Answered>();
  for (const { workload, cluster } of answers) {
    if (workload === undefined || cluster === undefined) continue;
    const key = `${workload} ${cluster}`;
    counts.set(key, { workload, cluster, requests: (counts.get(key)?.requests ?? 0) + 1 });
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}
