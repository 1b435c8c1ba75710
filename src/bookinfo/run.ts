// Runs the BookInfo demo: puts it into both clusters, divides the requests in three ways, counts who answers, and takes it out again.
import * as z from 'zod';
import { failure } from '../base/errors.ts';
import { fieldManager } from '../base/names.ts';
import { describeObject, type KubeObject } from '../base/objects.ts';
import type { Clock, ClusterClient } from '../system/types.ts';
import { type Answer, ask, judge, type Stage, stages } from './ask.ts';
import { type BookinfoOptions, bookinfoNamespace, primaryObjects, remoteObjects, reviewsRoute } from './objects.ts';
import type { StageResult } from './types.ts';

export interface BookinfoDeps {
  readonly primary: ClusterClient;
  readonly remote: ClusterClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Is told what happens, in one line each. */
  readonly say: (line: string) => void;
}

export interface RunOptions extends BookinfoOptions {
  /** Requests of each stage. */
  readonly requests: number;
  /** Longest wait for pods, and for a new route to reach the proxies; milliseconds. */
  readonly timeoutMs: number;
}

const collections: Readonly<Record<string, string>> = {
  Service: '/api/v1/namespaces/{namespace}/services',
  ServiceAccount: '/api/v1/namespaces/{namespace}/serviceaccounts',
  Deployment: '/apis/apps/v1/namespaces/{namespace}/deployments',
  Gateway: '/apis/networking.istio.io/v1/namespaces/{namespace}/gateways',
  VirtualService: '/apis/networking.istio.io/v1/namespaces/{namespace}/virtualservices',
  DestinationRule: '/apis/networking.istio.io/v1/namespaces/{namespace}/destinationrules',
};

const Deployment = z.object({
  metadata: z.object({ generation: z.int() }),
  status: z.object({ observedGeneration: z.int().default(0), updatedReplicas: z.int().default(0), availableReplicas: z.int().default(0) }),
});

const Namespace = z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()).default({}) }) });

/**
 * Installs BookInfo and sends requests through its gateway.
 * @returns what each stage saw; a stage that is not as asked for is a result, not an error
 * @throws IsthmusError when a namespace is someone else's or a workload does not become ready
 */
export async function runBookinfo(deps: BookinfoDeps, options: RunOptions): Promise<StageResult[]> {
  const parts = [
    { client: deps.primary, objects: primaryObjects(options) },
    { client: deps.remote, objects: remoteObjects(options) },
  ];
  for (const { client } of parts) await checkNamespace(client, options.namespace);
  for (const { client, objects } of parts) {
    deps.say(
      `${client.cluster}: ${objects.filter(({ kind }) => kind === 'Deployment').length} workloads in namespace ${options.namespace}`,
    );
    await client.apply('/api/v1/namespaces', marked(bookinfoNamespace(options)), { fieldManager });
    for (const object of objects) await applyObject(client, options.namespace, object);
  }
  for (const { client, objects } of parts) await waitForWorkloads(deps, client, { options, objects });
  const results: StageResult[] = [];
  for (const stage of stages) results.push(await runStage(deps, options, stage));
  return results;
}

/**
 * Deletes the demo's namespace in both clusters and waits until it is gone.
 * @throws IsthmusError when a namespace of that name is not the demo's
 */
export async function removeBookinfo(
  deps: BookinfoDeps,
  { namespace, timeoutMs }: Pick<RunOptions, 'namespace' | 'timeoutMs'>,
): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}`;
  const clients = [deps.primary, deps.remote];
  for (const client of clients) await checkNamespace(client, namespace);
  for (const client of clients) {
    await client.delete(path);
    deps.say(`${client.cluster}: deleting namespace ${namespace}`);
  }
  for (const client of clients)
    await until(deps, timeoutMs, {
      what: `Namespace ${namespace} of ${client.cluster} to be gone`,
      probe: async () => (await client.get(path)) === undefined,
    });
}

const ownLabel = 'app.kubernetes.io/part-of';
const ownValue = 'isthmus-bookinfo';

function marked(namespace: KubeObject): KubeObject {
  return { ...namespace, metadata: { ...namespace.metadata, labels: { ...namespace.metadata.labels, [ownLabel]: ownValue } } };
}

/** A namespace of that name that the demo did not make stays untouched. */
async function checkNamespace(client: ClusterClient, name: string): Promise<void> {
  const found = await client.get(`/api/v1/namespaces/${name}`);
  if (found === undefined) return;
  const parsed = Namespace.safeParse(found);
  if (parsed.success && parsed.data.metadata.labels[ownLabel] === ownValue) return;
  throw failure(`Namespace ${name} is there already and is not the demo's`, {
    where: client.cluster,
    hint: 'Choose another one with --namespace.',
  });
}

async function applyObject(client: ClusterClient, namespace: string, object: KubeObject): Promise<void> {
  const collection = collections[object.kind];
  if (collection === undefined) throw new Error(`${describeObject(object)} has no collection`);
  await client.apply(collection.replace('{namespace}', namespace), object, { fieldManager, force: true });
}

interface Workloads {
  readonly options: RunOptions;
  readonly objects: readonly KubeObject[];
}

async function waitForWorkloads(deps: BookinfoDeps, client: ClusterClient, { options, objects }: Workloads): Promise<void> {
  for (const { kind, metadata } of objects) {
    if (kind !== 'Deployment') continue;
    const path = `/apis/apps/v1/namespaces/${options.namespace}/deployments/${metadata.name}`;
    await until(deps, options.timeoutMs, {
      what: `Deployment ${options.namespace}/${metadata.name} of ${client.cluster} to be ready`,
      probe: async () => {
        const { success, data } = Deployment.safeParse(await client.get(path));
        if (!success || data.status.observedGeneration < data.metadata.generation) return false;
        return data.status.updatedReplicas === 1 && data.status.availableReplicas === 1;
      },
    });
  }
}

async function runStage(deps: BookinfoDeps, options: RunOptions, stage: Stage): Promise<StageResult> {
  deps.say(`${stage.title}: ${options.requests} requests`);
  await applyObject(deps.primary, options.namespace, reviewsRoute(options, stage.shares));
  // A new route takes a moment to reach the proxies; time up is not an error here, since what follows is counted.
  await until(deps, options.timeoutMs, { what: '', probe: async () => judge(stage, await askTimes(deps, options, 8), options).ok }).catch(
    () => undefined,
  );
  return judge(stage, await askTimes(deps, options, options.requests), options);
}

async function askTimes(deps: BookinfoDeps, options: RunOptions, times: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  while (answers.length < times && !deps.signal.aborted) answers.push(await ask(deps.primary, options));
  return answers;
}

interface Waiting {
  /** Ends the sentence "gave up waiting for ...". */
  readonly what: string;
  readonly probe: () => Promise<boolean>;
}

async function until({ clock, signal }: BookinfoDeps, timeoutMs: number, { what, probe }: Waiting): Promise<void> {
  const deadline = clock.now().getTime() + timeoutMs;
  while (!(await probe())) {
    if (clock.now().getTime() > deadline)
      throw failure(`gave up waiting for ${what}`, { hint: 'Look at its pods and events with kubectl, then run the same command again.' });
    await clock.sleep(500, signal);
  }
}
