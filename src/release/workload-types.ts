// The fields of workloads, pods and nodes that readiness depends on.
import * as z from 'zod';

const Condition = z.object({ type: z.string(), status: z.string(), reason: z.string().optional(), message: z.string().optional() });
const conditions = z
  .array(Condition)
  .nullish()
  .transform((value) => value ?? []);
const count = z.number().default(0);

const selector = z.object({ matchLabels: z.record(z.string(), z.string()).default({}) });

export const Deployment = z.object({
  metadata: z.object({ generation: count }),
  spec: z.object({ replicas: z.number().default(1), selector: selector.prefault({}) }),
  status: z.object({ observedGeneration: count, updatedReplicas: count, availableReplicas: count }).prefault({}),
});

export const DaemonSet = z.object({
  metadata: z.object({ uid: z.string().default(''), generation: count }),
  spec: z.object({
    selector,
    template: z.object({ spec: z.object({ nodeSelector: z.record(z.string(), z.string()).default({}) }) }),
  }),
  status: z.object({ observedGeneration: count }).prefault({}),
});

export const Revision = z.object({
  metadata: z.object({
    labels: z.record(z.string(), z.string()).default({}),
    ownerReferences: z.array(z.object({ uid: z.string() })).default([]),
  }),
  revision: count,
});

const NodeTerms = z.array(z.object({ matchFields: z.array(z.object({ values: z.array(z.string()).default([]) })).default([]) }));

export const Job = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        nodeName: z.string().optional(),
        nodeSelector: z.record(z.string(), z.string()).default({}),
        affinity: z
          .object({
            nodeAffinity: z
              .object({ requiredDuringSchedulingIgnoredDuringExecution: z.object({ nodeSelectorTerms: NodeTerms }).optional() })
              .optional(),
          })
          .optional(),
      }),
    }),
  }),
  status: z.object({ conditions, succeeded: count }).prefault({}),
});

const ContainerStatus = z.object({
  state: z
    .object({
      waiting: z.object({ reason: z.string().optional(), message: z.string().optional() }).optional(),
      terminated: z.object({ exitCode: z.number().optional(), reason: z.string().optional(), message: z.string().optional() }).optional(),
    })
    .default({}),
  lastState: z.object({ terminated: z.object({ message: z.string().optional(), reason: z.string().optional() }).optional() }).default({}),
});

export const Pod = z.object({
  metadata: z.object({
    name: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
    deletionTimestamp: z.string().optional(),
  }),
  spec: z.object({ nodeName: z.string().optional() }),
  status: z.object({ conditions, containerStatuses: z.array(ContainerStatus).default([]) }).prefault({}),
});
export type Pod = z.infer<typeof Pod>;

export const Node = z.object({
  metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()).default({}) }),
  status: z.object({ conditions }).prefault({}),
});

/** How far one workload is. */
export interface ReadState {
  /** `Job isthmus-system/route-installer-0a1b-n1`. */
  readonly name: string;
  readonly ready: number;
  readonly wanted: number;
  /** What is still missing, a line each; nothing more to wait for when empty. */
  readonly missing: readonly string[];
  /** Nodes that cannot be waited for, because they are not Ready. */
  readonly pending: readonly string[];
  /** What its pods wait for, where they say it. */
  readonly reason?: string;
  /** Why it can never become ready. */
  readonly failed?: string;
}

/** Whether a condition of this type is True. */
export function isTrue(list: readonly z.infer<typeof Condition>[], type: string): boolean {
  return list.some((condition) => condition.type === type && condition.status === 'True');
}
