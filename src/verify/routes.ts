// The second layer: every node has the routes of out/, as the keeper (or the Job) of that node reports it.
import { z } from 'zod';
import { IsthmusError } from '../base/errors.ts';
import { escapeText } from '../base/names.ts';
import { type NodeState, readNodes } from '../release/nodes.ts';
import { readPods, reasonOf } from '../release/pods.ts';
import { isTrue, type Pod } from '../release/workload-types.ts';
import { hasKernel } from './nodes.ts';
import { clustersOf } from './pairs.ts';
import type { Check, Layer, VerifiedCluster } from './types.ts';

/** Reasons are looked up for so many nodes of a cluster only: each may be one more request. */
const mostReasons = 20;

/** The ConfigMap that every release of the chart has; its first line ends in the digest of all routes and settings. */
const Header = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()).default({}) }),
  data: z.object({ header: z.string().regex(/^isthmus-routes \S+ \S+ [0-9a-f]{64}\n/) }),
});

export const routeLayer: Layer = {
  name: 'routes',
  serves: 'network',
  run: async (scene, pairs) => ({ checks: (await Promise.all(clustersOf(pairs, scene).map(checkCluster))).flat() }),
};

async function checkCluster(cluster: VerifiedCluster): Promise<readonly Check[]> {
  const { routes } = cluster;
  if (routes === undefined) {
    const message = 'isthmus installs no routes here: routes.provider says that the network carries pod addresses';
    return [{ name: 'routes', from: { cluster: cluster.name }, outcome: 'skipped', message }];
  }
  try {
    const installed = await readInstalled(cluster, routes.release);
    const wrong = wrongRelease(cluster.name, installed, routes);
    if (wrong !== undefined || installed === undefined) return wrong === undefined ? [] : [wrong];
    return await checkNodes(cluster, routes.release, installed.revision);
  } catch (error) {
    if (!(error instanceof IsthmusError)) throw error;
    const { message, hint } = error;
    return [{ name: 'routes', from: { cluster: cluster.name }, outcome: 'failed', message, ...(hint === undefined ? {} : { hint }) }];
  }
}

interface Installed {
  /** `helm.sh/chart` label, `route-installer-0.1.0_0123456789ab`. */
  readonly chart: string | undefined;
  /** First digits of the digest of all routes and settings: the label of pods that have been given them. */
  readonly revision: string;
}

async function readInstalled({ client, namespace }: VerifiedCluster, release: string): Promise<Installed | undefined> {
  const found = Header.safeParse(await client.get(`/api/v1/namespaces/${namespace}/configmaps/${release}-header`));
  if (!found.success) return undefined;
  const digest = found.data.data.header.split('\n', 1)[0]?.split(' ').at(-1) ?? '';
  return { chart: found.data.metadata.labels['helm.sh/chart'], revision: digest.slice(0, 12) };
}

function wrongRelease(
  cluster: string,
  installed: Installed | undefined,
  wanted: NonNullable<VerifiedCluster['routes']>,
): Check | undefined {
  const check = { name: 'release', from: { cluster }, outcome: 'failed' } as const;
  if (installed === undefined)
    return { ...check, message: `${wanted.release} is not installed`, hint: 'Run `isthmus install`, then verify again.' };
  if (wanted.version === undefined || installed.chart === chartLabel(wanted.version)) return undefined;
  const message = `installed is ${installed.chart ?? 'a chart without a name'}, out/ holds ${chartLabel(wanted.version)}`;
  return { ...check, message, hint: 'Run `isthmus install` with this folder, or verify with the folder that was installed.' };
}

/** As the chart writes it; a label takes no plus sign. */
function chartLabel(version: string): string {
  return `route-installer-${version.replace('+', '_')}`.slice(0, 63).replace(/-$/, '');
}

async function checkNodes(cluster: VerifiedCluster, release: string, revision: string): Promise<readonly Check[]> {
  const { client, namespace, name } = cluster;
  const [nodes, pods, keeper] = await Promise.all([
    readNodes(client, []),
    readPods(client, namespace, { 'app.kubernetes.io/name': 'route-installer', 'app.kubernetes.io/instance': release }),
    client.get(`/apis/apps/v1/namespaces/${namespace}/daemonsets/${release}-keeper`),
  ]);
  const component = keeper === undefined ? 'job' : 'keeper';
  const agents = pods.filter(({ metadata }) => metadata.labels['app.kubernetes.io/component'] === component);
  const planned = new Set(cluster.nodes);
  const added = [...nodes.values()].filter((node) => !planned.has(node.name) && hasKernel(node));
  const known = [...cluster.nodes].sort();
  return Promise.all([
    ...known.map((node, index) => {
      const agent = { component, pods: agents, revision, reasons: index < mostReasons } as const;
      return checkNode(cluster, { name: node, state: nodes.get(node) }, agent);
    }),
    ...added.map(({ name: node }) => joinedLater(name, node)),
  ]);
}

interface Agent {
  readonly component: 'keeper' | 'job';
  readonly pods: readonly Pod[];
  readonly revision: string;
  /** Whether to ask for the reason of a node that is not as it should be. */
  readonly reasons: boolean;
}

interface PlannedNode {
  readonly name: string;
  readonly state: NodeState | undefined;
}

async function checkNode(cluster: VerifiedCluster, node: PlannedNode, agent: Agent): Promise<Check> {
  const check = { name: agent.component, from: { cluster: cluster.name, node: node.name } };
  if (node.state === undefined)
    return { ...check, outcome: 'skipped', message: 'is not in the cluster any more; generate and install to take its routes away' };
  if (!node.state.ready) return { ...check, outcome: 'skipped', message: 'the node is not Ready' };
  const own = agent.pods.filter(({ spec, metadata }) => spec.nodeName === node.name && metadata.deletionTimestamp === undefined);
  const current = own.filter(({ metadata }) => metadata.labels['isthmus/revision'] === agent.revision);
  if (current.some((pod) => isDone(pod, agent.component))) return { ...check, outcome: 'passed' };
  const message = await missingReason(cluster, { own, current }, agent);
  return { ...check, outcome: 'failed', message, hint: 'Mend what is said, or run `isthmus install` again.' };
}

function isDone({ status }: Pod, component: Agent['component']): boolean {
  if (component === 'keeper') return isTrue(status.conditions, 'Ready');
  return status.containerStatuses.some(({ state }) => state.terminated?.exitCode === 0);
}

async function missingReason(
  { client, namespace }: VerifiedCluster,
  { own, current }: { readonly own: readonly Pod[]; readonly current: readonly Pod[] },
  { component, reasons }: Agent,
): Promise<string> {
  const pod = current.at(-1);
  const what = component === 'keeper' ? 'pod of the keeper' : 'Job';
  if (pod === undefined) return own.length === 0 ? `no ${what} on the node` : `the ${what} has older routes than out/`;
  if (!reasons) return `the ${what} is not ready`;
  const said = isRunning(pod) ? await lastWord(pod, client, namespace) : '';
  return said === '' ? reasonOf(pod, client, namespace) : said;
}

function isRunning({ status }: Pod): boolean {
  return status.containerStatuses.every(({ state }) => state.waiting === undefined && state.terminated === undefined);
}

/** A keeper that runs and is not ready has said why in its last line; the lines before tell of better times. */
async function lastWord({ metadata }: Pod, client: VerifiedCluster['client'], namespace: string): Promise<string> {
  const log = await client.podLog(namespace, metadata.name, { tailLines: 1 }).catch(() => '');
  return escapeText(log.trim());
}

/** Its own pods are known to no other cluster. */
function joinedLater(cluster: string, node: string): Check {
  return {
    name: 'node',
    from: { cluster, node },
    outcome: 'failed',
    message: 'the node joined after the charts were generated, so no route leads to its pods',
    hint: 'Run `isthmus generate`, look at what changed, then `isthmus install`.',
  };
}
