// Two clusters in memory with routes installed, a kubelet that runs probe pods, and a network between them that tests can break.
import type { KubeObject } from '../../src/base/objects.ts';
import type { Scene, VerifiedCluster } from '../../src/verify/types.ts';
import { createFakeClock } from '../helpers/clock.ts';
import { type FakeCluster, fakeCluster } from '../helpers/cluster.ts';

export const namespace = 'isthmus-system';
export const version = '0.1.0+aaaaaaaaaaaa';
const digest = 'd'.repeat(64);

/** What a pod of one node finds out about the listener of another node, in the words of the probe. */
export interface Passage {
  readonly tcp?: string;
  readonly ping?: string;
  readonly full?: string;
  /** Address that arrives; that of the asking pod when absent. */
  readonly source?: string;
}

export type Network = (from: string, to: string) => Passage;

export interface World {
  readonly one: FakeCluster;
  readonly two: FakeCluster;
  /** Probe pods as they were made, by cluster. */
  readonly made: { readonly cluster: string; readonly pod: KubeObject }[];
  /** Status of a probe pod in the place of the kubelet's own; undefined leaves it to the kubelet. */
  kubelet: (pod: KubeObject) => unknown;
  network: Network;
  pods(cluster: FakeCluster): KubeObject[];
}

export function node(name: string, more: Partial<{ ready: boolean; labels: Record<string, string> }> = {}): KubeObject {
  const conditions = [{ type: 'Ready', status: more.ready === false ? 'False' : 'True' }];
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { ...more.labels } }, status: { conditions } };
}

export function keeperPod(on: string, ready = true, revision = digest.slice(0, 12)): KubeObject {
  const labels = { ...routeLabels, 'app.kubernetes.io/component': 'keeper', 'isthmus/revision': revision };
  const status = { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: `keeper-${on}`, namespace, labels }, spec: { nodeName: on }, status };
}

const routeLabels = { 'app.kubernetes.io/name': 'route-installer', 'app.kubernetes.io/instance': 'route-installer' };

export const keeper: KubeObject = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'route-installer-keeper', namespace } };

export function header(chart = 'route-installer-0.1.0_aaaaaaaaaaaa'): KubeObject {
  const metadata = { name: 'route-installer-header', namespace, labels: { 'helm.sh/chart': chart } };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { header: `isthmus-routes 1 1 ${digest}\nmode install\n` } };
}

/** An ILB Service of the primary, with the addresses that its load balancer gave. */
export function istiodService(name: string, ...addresses: readonly string[]): KubeObject {
  const metadata = { name, namespace: 'istio-system' };
  return { apiVersion: 'v1', kind: 'Service', metadata, status: { loadBalancer: { ingress: addresses.map((ip) => ({ ip })) } } };
}

/** Where a remote finds istiod, as istio-remote says it. */
export function istiodSlice(...addresses: readonly string[]): KubeObject {
  const labels = { 'app.kubernetes.io/instance': 'istio-remote' };
  const metadata = { name: 'istiod', namespace: 'istio-system', labels };
  const endpoints = addresses.map((address) => ({ addresses: [address] }));
  return { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, endpoints };
}

/** Clusters of nodes n1 and n2 each, with everything in place; istiod of one serves two. */
export function createWorld(): World {
  const world: World = {
    one: routedCluster('uid-1'),
    two: routedCluster('uid-2'),
    made: [],
    kubelet: () => undefined,
    network: () => ({}),
    pods: (cluster) => [...cluster.objects.values()].filter(isProbe),
  };
  world.one.add(istiodService('istiod-ilb', '10.0.0.5'));
  world.two.add(istiodSlice('10.0.0.5'));
  const addresses = new Map<string, string>();
  for (const [name, cluster] of [['one', world.one] as const, ['two', world.two] as const])
    cluster.intercept = (request) => {
      if (request === `GET /api/v1/namespaces/${namespace}/pods`) runPods(world, { name, cluster, addresses });
    };
  return world;
}

function routedCluster(uid: string): FakeCluster {
  const place: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  return fakeCluster({ uid, objects: [place, node('n1'), node('n2'), header(), keeper, keeperPod('n1'), keeperPod('n2')] });
}

function isProbe({ kind, metadata }: KubeObject): boolean {
  return kind === 'Pod' && metadata.labels?.['app.kubernetes.io/name'] === 'isthmus-verify';
}

interface Kubelet {
  readonly name: string;
  readonly cluster: FakeCluster;
  /** Node, `one/n1`, by address of its listener. */
  readonly addresses: Map<string, string>;
}

/** Gives each new probe pod an address, lets listeners run, and lets askers end with what the network says. */
function runPods(world: World, { name, cluster, addresses }: Kubelet): void {
  for (const pod of world.pods(cluster)) {
    if (pod['status'] !== undefined) continue;
    world.made.push({ cluster: name, pod });
    const place = `${name}/${nodeOf(pod)}`;
    const podIP = `10.${name === 'one' ? 1 : 2}.${nodeOf(pod).slice(1)}.${world.made.length}`;
    const targets = envOf(pod, 'PROBE_TARGETS');
    const status = world.kubelet(pod) ?? { phase: targets === undefined ? 'Running' : 'Succeeded', podIP };
    cluster.add({ ...pod, status });
    if (targets === undefined) addresses.set(podIP, place);
    else cluster.logs.set(`${namespace}/${pod.metadata.name}`, logOf(targets, { place, podIP, addresses, network: world.network }));
  }
}

interface Asking {
  readonly place: string;
  readonly podIP: string;
  readonly addresses: ReadonlyMap<string, string>;
  readonly network: Network;
}

function logOf(targets: string, { place, podIP, addresses, network }: Asking): string {
  return targets
    .split('\n')
    .map((line) => {
      const [number = '', address = ''] = line.split(' ');
      const { tcp = 'ok', ping = 'ok', full = 'ok', source = podIP } = network(place, addresses.get(address) ?? '');
      const seen = tcp === 'ok' ? `${hex(address)}=${hex(source)}` : '';
      return `${number} tcp=${tcp} ping=${ping} full=${full} size=1450 seen=${seen}\n`;
    })
    .join('');
}

/** As /proc/net/tcp of a little-endian machine writes it. */
export function hex(address: string): string {
  const digits = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return digits.reverse().join('').toUpperCase();
}

interface PodSpec {
  readonly affinity: {
    readonly nodeAffinity: {
      readonly requiredDuringSchedulingIgnoredDuringExecution: {
        readonly nodeSelectorTerms: readonly { readonly matchFields: readonly { readonly values: readonly string[] }[] }[];
      };
    };
  };
  readonly containers: readonly { readonly env: readonly { readonly name: string; readonly value?: string }[] }[];
}

export function nodeOf(pod: KubeObject): string {
  const { nodeAffinity } = (pod['spec'] as PodSpec).affinity;
  return nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]?.matchFields[0]?.values[0] ?? '';
}

export function envOf(pod: KubeObject, name: string): string | undefined {
  return (pod['spec'] as PodSpec).containers[0]?.env.find((each) => each.name === name)?.value;
}

export interface SceneOptions {
  readonly signal?: AbortSignal;
  readonly said?: string[];
  readonly change?: (cluster: VerifiedCluster) => VerifiedCluster;
}

/** The scene of a run `run1` over the world. */
export function sceneOf(
  world: World,
  { signal = new AbortController().signal, said = [], change = (same) => same }: SceneOptions = {},
): Scene {
  const verified = (name: 'one' | 'two'): VerifiedCluster =>
    change({
      name,
      client: world[name].client(name),
      enter: () => Promise.resolve(undefined),
      istioNamespace: 'istio-system',
      namespace,
      nodes: ['n1', 'n2'],
      routes: { release: 'route-installer', version },
      probe: { image: 'registry.example/proxyv2:1', pullPolicy: 'IfNotPresent', pullSecrets: [] },
    });
  return {
    clusters: new Map([
      ['one', verified('one')],
      ['two', verified('two')],
    ]),
    unreachable: new Map(),
    run: 'run1',
    clock: createFakeClock('2026-01-01T00:00:00Z'),
    signal,
    timeoutMs: 120_000,
    onProgress: (cluster, text) => void said.push(`${cluster}: ${text}`),
  };
}

export const bothWays = [
  { from: 'one', to: 'two' },
  { from: 'two', to: 'one' },
] as const;
