// What the control plane's own configuration says: kubeadm's ConfigMap, kube-proxy's, and flags of static pods. Read once, when asked.
import * as z from 'zod';
import { readConfigText } from './config-text.ts';
import { compareText } from './lists.ts';
import { Container, Metadata } from './objects.ts';
import type { Reads } from './reads.ts';
import type { Observed } from './schema.ts';

export interface ControlPlane {
  /** A field of `networking` in kubeadm's ClusterConfiguration. */
  kubeadm(field: 'podSubnet' | 'serviceSubnet'): Promise<Observed<string> | undefined>;
  /** A flag such as `--cluster-cidr` of a container of the control plane. */
  flag(component: 'kube-apiserver' | 'kube-controller-manager' | 'kube-proxy', name: string): Promise<Observed<string> | undefined>;
  /** `clusterCIDR` of kube-proxy's configuration. */
  kubeProxyClusterCIDR(): Promise<Observed<string> | undefined>;
}

const namespace = 'kube-system';

const Networking = z.object({
  networking: z.object({ podSubnet: z.string().optional(), serviceSubnet: z.string().optional() }).optional(),
});
const ProxyConfiguration = z.object({ clusterCIDR: z.string().nullish() });

const PodSpec = z.object({ containers: z.array(Container) });
const StaticPod = z.object({ metadata: Metadata, spec: PodSpec });
const DaemonSet = z.object({ kind: z.literal('DaemonSet'), spec: z.object({ template: z.object({ spec: PodSpec }) }) });

interface Flags {
  readonly source: string;
  readonly words: readonly string[];
}

/** Each source is read at most once, and only when one of the questions needs it: fewer permissions are needed that way. */
export function createControlPlane(reads: Reads): ControlPlane {
  const kubeadm = once(() => readConfigText(reads, { namespace, name: 'kubeadm-config', key: 'ClusterConfiguration', schema: Networking }));
  const proxy = once(() => readConfigText(reads, { namespace, name: 'kube-proxy', key: 'config.conf', schema: ProxyConfiguration }));
  const staticPods = once(() => readStaticPods(reads));
  const proxyFlags = once(() => readProxyFlags(reads));
  return {
    kubeadm: async (field) => observed((await kubeadm())?.networking?.[field], `ConfigMap kube-system/kubeadm-config ${field}`),
    kubeProxyClusterCIDR: async () => observed((await proxy())?.clusterCIDR, 'ConfigMap kube-system/kube-proxy clusterCIDR'),
    flag: async (component, name) => flagOf(component === 'kube-proxy' ? await proxyFlags() : await staticPods(), component, name),
  };
}

function observed(value: string | null | undefined, source: string): Observed<string> | undefined {
  return value === undefined || value === null || value === '' ? undefined : { value, source };
}

async function readStaticPods(reads: Reads): Promise<readonly Flags[]> {
  const pods = await reads.list('/api/v1/namespaces/kube-system/pods', StaticPod, {
    labelSelector: 'component in (kube-apiserver,kube-controller-manager)',
  });
  return [...(pods ?? [])]
    .sort((a, b) => compareText(a.metadata.name, b.metadata.name))
    .flatMap((pod) => pod.spec.containers.map((container) => flagsOf(container, `Pod kube-system/${pod.metadata.name}`)));
}

async function readProxyFlags(reads: Reads): Promise<readonly Flags[]> {
  const daemonSet = await reads.get('/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy', DaemonSet);
  return (daemonSet?.spec.template.spec.containers ?? []).map((container) => flagsOf(container, 'DaemonSet kube-system/kube-proxy'));
}

function flagsOf(container: Container, source: string): Flags {
  return { source: `${source} container ${container.name}`, words: [...(container.command ?? []), ...(container.args ?? [])] };
}

/** Flags are written `--name=value` or as two words; some images start everything through one shell command. */
function flagOf(all: readonly Flags[], component: string, name: string): Observed<string> | undefined {
  for (const { source, words } of all) {
    const split = words.flatMap((word) => word.split(/\s+/));
    const belongs = source.endsWith(` ${component}`) || split.some((word) => word.includes(component));
    const value = belongs ? valueAfter(split, name) : undefined;
    if (value !== undefined) return { value, source: `${name} of ${source}` };
  }
  return undefined;
}

function valueAfter(words: readonly string[], name: string): string | undefined {
  const joined = words.find((word) => word.startsWith(`${name}=`));
  const value = joined === undefined ? (words.includes(name) ? words[words.indexOf(name) + 1] : undefined) : joined.slice(name.length + 1);
  return value === '' ? undefined : value;
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= read();
    return result;
  };
}
