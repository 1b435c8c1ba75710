// Reads one cluster and says what it is. Nothing is ever written.
import * as z from 'zod';
import { failure, statusOf } from '../base/errors.ts';
import type { ClusterReader } from '../system/types.ts';
import { type ApiGroups, groupPath, readApiGroups } from './api-groups.ts';
import { readCalico } from './cni/calico-objects.ts';
import { readCni } from './cni/probes.ts';
import type { CniFacts } from './cni/types.ts';
import { type ControlPlane, createControlPlane } from './control-plane.ts';
import { readGatewayApi } from './gateway-api.ts';
import { readIstio } from './istio.ts';
import { readLoadBalancer, readLoadBalancerServices } from './load-balancers.ts';
import { type Node, nodeFacts, readNodes } from './nodes.ts';
import { Metadata, Named } from './objects.ts';
import { platformOf } from './platform.ts';
import { readPodCIDRs } from './pod-cidrs.ts';
import { proveBlocks, readPodAddresses } from './pods.ts';
import { createReads, type Reads } from './reads.ts';
import { type ClusterFacts, factsVersion, type Observed } from './schema.ts';
import { readServiceCIDRs } from './services.ts';

export interface InspectOptions {
  /** Name of the cluster in the mesh. */
  readonly cluster: string;
  readonly istioNamespace: string;
  /** When the reading starts. */
  readonly now: Date;
}

const Version = z.object({ gitVersion: z.string() });
const systemNamespacePath = '/api/v1/namespaces/kube-system';
const SystemNamespace = z.object({ kind: z.literal('Namespace'), metadata: Metadata.extend({ uid: z.string().min(1) }) });

/**
 * Inspects a cluster through its API server, at most eight requests at a time.
 * @returns the facts, each with its source; what could not be read is in `problems` (ISM006 with the RBAC rule, ISM008), what no
 * source told is absent, and lists are in an order that does not depend on the server's
 * @throws IsthmusError when the server cannot be reached, refuses the login, or does not answer as a Kubernetes API server
 */
export async function inspectCluster(reader: ClusterReader, options: InspectOptions): Promise<ClusterFacts> {
  const reads = createReads(reader);
  const uid = await readIdentity(reader, reads);
  const groups = await readApiGroups(reads);
  const controlPlane = createControlPlane(reads);
  const [network, kubernetes, serviceCIDRs, istio, gatewayAPI] = await Promise.all([
    readNetwork(reads, groups, controlPlane),
    readKubernetes(reads),
    readServiceCIDRs(reads, groups, controlPlane),
    readIstio(reads, groups, options.istioNamespace),
    readGatewayApi(reads, groups),
  ]);
  return {
    apiVersion: factsVersion,
    kind: 'ClusterFacts',
    cluster: options.cluster,
    collectedAt: options.now.toISOString(),
    origin: 'api',
    ...present({ uid, server: { value: reader.server, source: 'kubeconfig' }, kubernetes, serviceCIDRs, istio, gatewayAPI }),
    ...network,
    problems: reads.problems(),
  };
}

/**
 * The UID of namespace kube-system identifies the cluster. This first read also tells whether there is an API server at all:
 * without one nothing else is tried.
 */
async function readIdentity(reader: ClusterReader, reads: Reads): Promise<Observed<string> | undefined> {
  const answer = await firstAnswer(reader);
  if (answer === 'forbidden') {
    await reads.get(systemNamespacePath, SystemNamespace);
    return undefined;
  }
  const namespace = SystemNamespace.safeParse(answer);
  if (!namespace.success) {
    throw failure('does not answer like a Kubernetes API server', {
      where: reader.cluster,
      hint: `Namespace kube-system was not found at ${reader.server}. Is the URL in the kubeconfig right, and does nothing stand in between?`,
    });
  }
  return { value: namespace.data.metadata.uid, source: 'Namespace kube-system' };
}

async function firstAnswer(reader: ClusterReader): Promise<unknown> {
  try {
    return await reader.get(systemNamespacePath);
  } catch (error) {
    if (statusOf(error) === 403) return 'forbidden';
    throw error;
  }
}

type NetworkFacts = Pick<
  ClusterFacts,
  'platform' | 'cni' | 'natExemptCIDRs' | 'felixProtocol' | 'pools' | 'podCIDRs' | 'nodes' | 'loadBalancer' | 'services'
>;

/** Nodes, the pod network and the load balancers. Pods are read before blocks, so that a pod of a new block is not taken for a wrong one. */
async function readNetwork(reads: Reads, groups: ApiGroups, controlPlane: ControlPlane): Promise<NetworkFacts> {
  const podAddresses = readPodAddresses(reads);
  const [nodes = [], pods = [], calico, daemonSets, services] = await Promise.all([
    readNodes(reads),
    podAddresses,
    podAddresses.then(() => readCalico(reads, groups)),
    readDaemonSets(reads, groups),
    readLoadBalancerServices(reads),
  ]);
  const platform = platformOf(nodes);
  const clues = { reads, groups, daemonSets, platform: platform?.value };
  const [cni, loadBalancer] = await Promise.all([readCni({ ...clues, nodes, calico }), readLoadBalancer({ ...clues, services })]);
  const { blocks, natExemptCIDRs, felixProtocol } = cni;
  const podCIDRs = cni.podCIDRs ?? (await readPodCIDRs(reads, controlPlane, blocks));
  proveBlocks(pods, nodes, { blocks, report: reads.report });
  return {
    ...present({ platform, ...describeCni(cni, nodes), natExemptCIDRs, felixProtocol, podCIDRs, loadBalancer }),
    pools: cni.pools ?? [],
    nodes: nodeFacts(nodes, { blocks, cni: cni.cni.value.name, report: reads.report }),
    services: services ?? [],
  };
}

/** Without nodes nothing can be said about their CNI. */
function describeCni({ cni }: CniFacts, nodes: readonly Node[]): { cni?: CniFacts['cni'] } {
  return nodes.length === 0 ? {} : { cni };
}

async function readDaemonSets(reads: Reads, groups: ApiGroups): Promise<ReadonlySet<string>> {
  const path = groupPath(groups, 'apps', ['v1', 'v1beta2']);
  const daemonSets = path === undefined ? undefined : await reads.list(`${path}/daemonsets`, Named, { metadataOnly: true });
  return new Set(daemonSets?.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`));
}

async function readKubernetes(reads: Reads): Promise<Observed<string> | undefined> {
  const answer = await reads.get('/version', Version);
  const value = /^v?(\d+\.\d+\.\d+)/.exec(answer?.gitVersion ?? '')?.[1];
  return value === undefined ? undefined : { value, source: '/version' };
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The fields that have a value; an unknown fact is an absent field. */
function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}
