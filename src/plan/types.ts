// What will be: the plan as plain data. It knows no helm, no files and no API.
import type { ClusterFacts, Observed } from '../facts/schema.ts';
import type { Finding } from '../findings/types.ts';
import type { Era } from '../spec/schema.ts';
import type { AmbientGatewayValues } from './values/ambient-gateway.ts';
import type { EastwestGatewayValues } from './values/eastwest-gateway.ts';
import type { IstioReaderValues } from './values/istio-reader.ts';
import type { IstioRemoteValues } from './values/istio-remote.ts';
import type { IstioRemoteClassicValues } from './values/istio-remote-classic.ts';
import type { RouteInstallerValues } from './values/route-installer.ts';

/** What is known about one cluster: as found in it (or saved), and as the user declares it in mesh.yaml. Only the plan chooses. */
export interface ClusterInput {
  readonly name: string;
  readonly found?: ClusterFacts;
  readonly declared?: ClusterFacts;
  /** Fingerprints of the root that the user gives this primary, with the file they were read from. */
  readonly root?: Observed<string>;
}

/** One route of a node: packets to `dst` (a pod block of another cluster) go to the node `via`. */
export interface Route {
  readonly dst: string;
  readonly via: string;
  /** Cluster the block belongs to. */
  readonly cluster: string;
  /** Node the block lives on. */
  readonly node: string;
  readonly mtu?: number;
}

export interface ServicePort {
  readonly name: string;
  readonly port: number;
  readonly targetPort: number;
  readonly protocol: 'TCP' | 'UDP';
}

/** Where the address of an ILB comes from; `pending` until the load balancer has given one. */
export type IlbAddress =
  | { readonly state: 'fixed' | 'found'; readonly addresses: readonly string[]; readonly hostname?: string; readonly source: string }
  | { readonly state: 'pending' };

/** One Service of type LoadBalancer, in front of a control-plane component or of an east-west gateway. */
export interface Ilb {
  readonly name: string;
  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly ServicePort[];
  readonly platform: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly loadBalancerClass?: string;
  /** Only for implementations that know nothing else, and for fixed addresses without an annotation. */
  readonly loadBalancerIP?: string;
  readonly sourceRanges: readonly string[];
  readonly address: IlbAddress;
}

/** A Calico IPPool that is disabled and only keeps pod addresses of the other cluster from being masqueraded. */
export interface ExemptPool {
  readonly name: string;
  readonly cidr: string;
}

/** How source addresses of pods survive on the way to the other clusters. */
export interface SourceNat {
  readonly cni: string;
  readonly method: 'ip-pools' | 'return-rule' | 'none-needed' | 'unknown';
  /** Remote pod CIDRs that must not be masqueraded. */
  readonly cidrs: readonly string[];
  readonly pools: readonly ExemptPool[];
  /** Why, in one sentence, for people. */
  readonly reason: string;
}

/** Why two clusters are joined by routes, or are not. */
export interface Link {
  readonly clusters: readonly [string, string];
  readonly by: 'routes' | 'network' | 'gateways' | 'nothing';
  readonly reason: string;
}

/** The Secret on a primary that lets its istiod read another cluster, which here is its remote. The token is made at install time and is never in a plan. */
export interface RemoteSecret {
  readonly name: string;
  readonly namespace: string;
  /** Cluster the Secret is for: its key, and Istio's cluster ID. */
  readonly remote: string;
  /** Cluster the Secret is in. */
  readonly primary: string;
  /** API server URL written into it; absent when only the kubeconfig at install time knows. */
  readonly server?: string;
  /** Reader ServiceAccount in the remote whose token it holds. */
  readonly serviceAccount: string;
  /** Name of the Secret of type service-account-token in the remote. */
  readonly tokenSecret: string;
}

/** Labels and annotations that a namespace must carry before anything is installed in it. */
export interface PlannedNamespace {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface PlannedReleaseBase {
  readonly name: string;
  readonly namespace: string;
  /** What it waits for, `address of istiod-ilb in cluster1`; empty when it can be installed. */
  readonly waitsFor: readonly string[];
}

/** One helm release. While `waitsFor` is not empty the values are incomplete and nothing is rendered for it. */
export type PlannedRelease = PlannedReleaseBase &
  (
    | { readonly chart: 'istio-base' | 'istiod'; readonly values: Readonly<Record<string, unknown>>; readonly adopt: boolean }
    | { readonly chart: 'istio-ilb'; readonly services: readonly Ilb[] }
    | { readonly chart: 'route-installer'; readonly values: RouteInstallerValues }
    | { readonly chart: 'eastwest-gateway'; readonly service: Ilb; readonly values: EastwestGatewayValues }
    | { readonly chart: 'ambient-gateway'; readonly service: Ilb; readonly values: AmbientGatewayValues }
    | { readonly chart: 'istio-reader'; readonly values: IstioReaderValues }
    | { readonly chart: 'istio-remote'; readonly values: IstioRemoteValues }
    | { readonly chart: 'istio-remote-classic'; readonly values: IstioRemoteClassicValues }
  );

/** One line about a cluster for people, from the facts: `Kubernetes 1.34.4`, `Calico, no encapsulation`, ... */
export interface ClusterSummary {
  readonly kubernetes?: string;
  readonly platform?: string;
  readonly cni?: string;
  readonly podCIDRs: readonly { readonly cidr: string; readonly source: string }[];
  readonly serviceCIDRs: readonly string[];
}

export interface PlannedNode {
  readonly name: string;
  readonly address: string;
  readonly ready: boolean;
  readonly blocks: readonly string[];
}

export interface ClusterPlan {
  readonly name: string;
  readonly role: 'primary' | 'remote';
  readonly network: string;
  /** The primary that serves it; absent for primaries. */
  readonly controlPlane?: string;
  /** Why it is in that network, for people: `written in mesh.yaml`, `flat with cluster1`, ... */
  readonly networkReason: string;
  /** UID of namespace kube-system when known; install compares it before it writes. */
  readonly uid?: string;
  /** SHA-256 fingerprints of the root in the Secret cacerts that install puts in place; absent where it puts none. */
  readonly root?: string;
  readonly summary: ClusterSummary;
  /** Nodes that get routes, in order of name. */
  readonly nodes: readonly PlannedNode[];
  /** Routes of every node of this cluster, in address order. */
  readonly routes: readonly Route[];
  readonly sourceNat: SourceNat;
  readonly namespaces: readonly PlannedNamespace[];
  /** Releases in order of installation. */
  readonly releases: readonly PlannedRelease[];
  /** Secrets this cluster, as a primary, gets for its remotes. */
  readonly remoteSecrets: readonly RemoteSecret[];
}

export interface MeshPlan {
  readonly apiVersion: 'isthmus/v1';
  readonly kind: 'MeshPlan';
  readonly mesh: string;
  readonly meshID: string;
  readonly era: Era;
  readonly istio: { readonly version: string; readonly namespace: string; readonly revision: string };
  readonly links: readonly Link[];
  readonly clusters: readonly ClusterPlan[];
  readonly findings: readonly Finding[];
}
