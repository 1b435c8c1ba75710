// Load balancers: which implementation answers, and the Services of type LoadBalancer with their addresses.
import * as z from 'zod';
import { type ApiGroups, groupPath } from './api-groups.ts';
import { compareText, sortedUnique } from './lists.ts';
import { configMapPath, Metadata, Named } from './objects.ts';
import type { Reads } from './reads.ts';
import type { LoadBalancerService, Observed } from './schema.ts';

const Ingress = z.object({ ip: z.string().optional(), hostname: z.string().optional() });

const Service = z.object({
  metadata: Metadata,
  spec: z.object({ type: z.string().optional(), loadBalancerIP: z.string().optional() }),
  status: z.object({ loadBalancer: z.object({ ingress: z.array(Ingress).nullish() }).nullish() }).nullish(),
});
type Service = z.infer<typeof Service>;

/** Annotations that ask for addresses, separated by commas (MetalLB, kube-vip, Cilium, Azure, AWS) or as a JSON list (Calico). */
const addressAnnotations = [
  'metallb.io/loadBalancerIPs',
  'metallb.universe.tf/loadBalancerIPs',
  'kube-vip.io/loadbalancerIPs',
  'lbipam.cilium.io/ips',
  'io.cilium/lb-ipam-ips',
  'projectcalico.org/loadBalancerIPs',
  'service.beta.kubernetes.io/azure-load-balancer-ipv4',
  'service.beta.kubernetes.io/azure-load-balancer-ipv6',
  'service.beta.kubernetes.io/aws-load-balancer-private-ipv4-addresses',
];

/** Platforms whose cloud controller manager answers Services of type LoadBalancer. */
const clouds: ReadonlySet<string> = new Set([
  'aws',
  'azure',
  'gke',
  'gce',
  'ibm',
  'openstack',
  'digitalocean',
  'hetzner',
  'tencent',
  'alibaba',
  'oracle',
  'huawei',
  'baidu',
]);

/** Services of type LoadBalancer in order of namespace and name; undefined when Services cannot be read. */
export async function readLoadBalancerServices(reads: Reads): Promise<readonly LoadBalancerService[] | undefined> {
  const services = await reads.list('/api/v1/services', Service);
  return services
    ?.filter((service) => service.spec.type === 'LoadBalancer')
    .map(describe)
    .sort((a, b) => compareText(a.namespace, b.namespace) || compareText(a.name, b.name));
}

function describe({ metadata, spec, status }: Service): LoadBalancerService {
  const ingress = status?.loadBalancer?.ingress ?? [];
  const annotated = addressAnnotations.flatMap((key) => (metadata.annotations[key] ?? '').split(/[\s,"[\]]+/));
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    addresses: sortedUnique(ingress.flatMap(({ ip }) => ip ?? [])),
    hostnames: sortedUnique(ingress.flatMap(({ hostname }) => hostname ?? [])),
    requested: sortedUnique([spec.loadBalancerIP ?? '', ...annotated].filter((text) => text !== '')),
  };
}

export interface LoadBalancerClues {
  readonly reads: Reads;
  readonly groups: ApiGroups;
  /** `namespace/name` of every DaemonSet. */
  readonly daemonSets: ReadonlySet<string>;
  readonly platform: string | undefined;
  readonly services: readonly LoadBalancerService[] | undefined;
}

/**
 * metallb, kube-vip, cilium, keepalived, servicelb (k3s) or cloud; `unknown` where something nobody here knows gave addresses,
 * `none` where nothing was found. What is installed in the cluster comes before what its platform could do.
 */
export async function readLoadBalancer(clues: LoadBalancerClues): Promise<Observed<string>> {
  const { platform } = clues;
  const installed = metallb(clues) ?? (await kubeVip(clues)) ?? (await cilium(clues)) ?? keepalived(clues);
  if (installed !== undefined) return installed;
  if (platform === 'k3s') return { value: 'servicelb', source: 'k3s runs ServiceLB by default' };
  if (platform !== undefined && clouds.has(platform)) return { value: 'cloud', source: `platform ${platform}` };
  const answered = clues.services?.find((service) => service.addresses.length + service.hostnames.length > 0);
  if (answered !== undefined) return { value: 'unknown', source: `Service ${answered.namespace}/${answered.name} has an address` };
  return { value: 'none', source: 'no implementation was found' };
}

function metallb({ groups, daemonSets }: LoadBalancerClues): Observed<string> | undefined {
  if (groups.has('metallb.io')) return { value: 'metallb', source: 'API group metallb.io' };
  return byDaemonSet(daemonSets, 'metallb', (name) => name === 'metallb-system/speaker');
}

async function kubeVip({ reads, daemonSets }: LoadBalancerClues): Promise<Observed<string> | undefined> {
  const found = byDaemonSet(daemonSets, 'kube-vip', (name) => name.includes('/kube-vip'));
  if (found !== undefined) return found;
  const pools = await reads.get(configMapPath('kube-system', 'kubevip'), Named);
  return pools === undefined ? undefined : { value: 'kube-vip', source: 'ConfigMap kube-system/kubevip' };
}

async function cilium({ reads, groups }: LoadBalancerClues): Promise<Observed<string> | undefined> {
  const path = groupPath(groups, 'cilium.io', ['v2', 'v2alpha1']);
  if (path === undefined) return undefined;
  const pools = (await poolsAt(reads, path)) ?? (await poolsAt(reads, '/apis/cilium.io/v2alpha1'));
  const [first] = [...(pools ?? [])].map(({ metadata }) => metadata.name).sort(compareText);
  return first === undefined ? undefined : { value: 'cilium', source: `CiliumLoadBalancerIPPool ${first}` };
}

function poolsAt(reads: Reads, path: string): Promise<readonly Named[] | undefined> {
  return reads.list(`${path}/ciliumloadbalancerippools`, Named, { metadataOnly: true });
}

function keepalived({ daemonSets, platform }: LoadBalancerClues): Observed<string> | undefined {
  const found = byDaemonSet(daemonSets, 'keepalived', (name) => name.includes('keepalived'));
  if (found !== undefined) return found;
  return platform === 'icp' ? { value: 'keepalived', source: 'IBM Cloud Private keeps its addresses with keepalived' } : undefined;
}

function byDaemonSet(daemonSets: ReadonlySet<string>, value: string, matches: (name: string) => boolean): Observed<string> | undefined {
  const [name] = [...daemonSets].filter(matches).sort(compareText);
  return name === undefined ? undefined : { value, source: `DaemonSet ${name}` };
}
