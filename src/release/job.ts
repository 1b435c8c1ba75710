// The Job of one node: done, failed with the pod's own reason, or waiting for a node that is not Ready.
import type * as z from 'zod';
import { describeObject, type KubeObject } from '../base/objects.ts';
import type { ClusterReader } from '../system/types.ts';
import type { NodeState } from './nodes.ts';
import { readPods, reasonOf } from './pods.ts';
import { isTrue, Job, type ReadState } from './workload-types.ts';

export interface Place {
  readonly client: ClusterReader;
  readonly namespace: string;
  readonly nodes: ReadonlyMap<string, NodeState>;
}

export async function jobState(workload: KubeObject, { client, namespace, nodes }: Place): Promise<ReadState> {
  const name = describeObject(workload);
  const state = { name, ready: 0, wanted: 1, missing: [] as readonly string[], pending: [] as readonly string[] };
  const found = Job.safeParse(await client.get(`/apis/batch/v1/namespaces/${namespace}/jobs/${workload.metadata.name}`));
  if (!found.success) return { ...state, missing: [`${name} is not there yet`] };
  const job = found.data;
  const node = nodeOf(job);
  if (isTrue(job.status.conditions, 'Complete')) return { ...state, ready: 1 };
  if (node !== undefined && nodes.size > 0 && nodes.get(node)?.ready !== true) return { ...state, pending: [node] };
  if (isTrue(job.status.conditions, 'Failed')) return { ...state, failed: await failureOf(workload, job, { client, namespace, nodes }) };
  return { ...state, missing: [node === undefined ? name : `node ${node}`] };
}

type JobFields = z.infer<typeof Job>;

/** The node that the Job is bound to, however its chart says so. */
function nodeOf({ spec }: JobFields): string | undefined {
  const pod = spec.template.spec;
  const terms = pod.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return pod.nodeName ?? terms[0]?.matchFields[0]?.values[0] ?? pod.nodeSelector['kubernetes.io/hostname'];
}

async function failureOf(workload: KubeObject, job: JobFields, { client, namespace }: Place): Promise<string> {
  const pods = await readPods(client, namespace, { 'job-name': workload.metadata.name });
  const last = pods.at(-1);
  const condition = job.status.conditions.find(({ type }) => type === 'Failed');
  const reason =
    last === undefined ? (condition?.message ?? condition?.reason ?? 'it left no pod') : await reasonOf(last, client, namespace);
  return `routes on node ${nodeOf(job) ?? 'unknown'} failed: ${reason}`;
}
