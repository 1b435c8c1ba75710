// Pods that tests send traffic between: one on every node, with an HTTP server that says who called, and with ping and curl.
import type { KubeObject } from '../../../src/base/objects.ts';
import { putAll } from '../objects.ts';
import { waitFor } from '../wait.ts';
import type { RealCluster } from './cluster.ts';
import { labImages } from './images.ts';

export interface Probe {
  readonly cluster: string;
  readonly node: string;
  readonly pod: string;
  readonly address: string;
}

/** What one pod saw of another. */
export interface Reach {
  readonly from: Probe;
  readonly to: Probe;
  /** A packet of the link's full size went there and back in one piece. */
  readonly fullSize: boolean;
  /** Address that the other pod saw, or empty when TCP did not get through. */
  readonly seenAs: string;
}

/** Runs a program to its end, in the network of the nodes, and returns what it prints. */
export type RunProgram = (program: string, ...args: string[]) => Promise<string>;

const name = 'probe';

/** Makes the pods and returns them when all are ready; pods that are there already are kept. */
export async function startProbes(cluster: RealCluster): Promise<Probe[]> {
  await putAll(cluster.client, [daemonSet()]);
  return waitFor(`the probes of ${cluster.name}`, () => readyProbes(cluster), 60_000);
}

/** Asks from every pod of one list for every pod of the other. */
export async function reachAll(run: RunProgram, from: readonly Probe[], to: readonly Probe[]): Promise<Reach[]> {
  return (await Promise.all(from.map((probe) => reachFrom(run, probe, to)))).flat();
}

/** One line each: what did not get through as it should. Nothing means that every pod reaches every pod with its own address. */
export function complaints(reaches: readonly Reach[]): string[] {
  return reaches.flatMap(({ from, to, fullSize, seenAs }) => {
    const pair = `${from.node} to ${to.node}`;
    const tcp = seenAs === from.address ? [] : [`${pair}: ${seenAs === '' ? 'no TCP' : `${from.address} was seen as ${seenAs}`}`];
    return fullSize ? tcp : [...tcp, `${pair}: no full-size packet`];
  });
}

async function reachFrom(run: RunProgram, from: Probe, to: readonly Probe[]): Promise<Reach[]> {
  // All at once: each of those that fail takes as long as its time limit.
  const script = to
    .map(({ address }, index) => {
      const ping = `ping -q -c1 -W2 -M do -s 1472 ${address} >/dev/null 2>&1 && echo "${index} full"`;
      return `(${ping}; echo "${index} said $(curl -s -m2 http://${address}:9080)") &`;
    })
    .join('\n');
  const context = ['--context', from.cluster, 'exec', from.pod, '-c', 'tools', '--'];
  const lines = (await run('kubectl', ...context, 'sh', '-c', `${script}\nwait`)).split('\n');
  return to.map((target, index) => {
    const said = lines.find((line) => line.startsWith(`${index} said `)) ?? '';
    return { from, to: target, fullSize: lines.includes(`${index} full`), seenAs: /"caller":"([^"]*)"/.exec(said)?.[1] ?? '' };
  });
}

async function readyProbes(cluster: RealCluster): Promise<Probe[] | undefined> {
  const pods = (await cluster.client.list(`/api/v1/namespaces/default/pods?labelSelector=app%3D${name}`)) as PodObject[];
  const probes = pods.filter(isReady).map(({ metadata, spec, status }) => ({
    cluster: cluster.name,
    node: spec.nodeName ?? '',
    pod: metadata.name,
    address: status.podIP ?? '',
  }));
  const missing = [...cluster.nodes.keys()].filter((node) => !probes.some((probe) => probe.node === node));
  return missing.length === 0 ? probes.sort((a, b) => a.node.localeCompare(b.node)) : undefined;
}

function isReady({ metadata, status }: PodObject): boolean {
  const ready = status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
  return ready && metadata['deletionTimestamp'] === undefined;
}

function daemonSet(): KubeObject {
  const labels = { app: name };
  const app = { name: 'app', image: labImages.app, readinessProbe: { tcpSocket: { port: 9080 }, periodSeconds: 1 } };
  const tools = { name: 'tools', image: labImages.tools, command: ['sleep', 'infinity'] };
  const spec = { terminationGracePeriodSeconds: 0, tolerations: [{ operator: 'Exists' }], containers: [app, tools] };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace: 'default' },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

interface PodObject extends KubeObject {
  readonly metadata: KubeObject['metadata'];
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly podIP?: string; readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}
