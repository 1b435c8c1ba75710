// What README.md and install.sh tell about out/: the steps in order, as data for their templates.
import { namespacesRelease, remoteSecretRelease } from '../base/names.ts';
import type { ClusterPlan, MeshPlan, PlannedRelease } from '../plan/types.ts';
import { clustersByName } from './releases.ts';
import { type IndexedRelease, type ReleaseIndex, remoteSecretOrder } from './types.ts';

/** One line for people about what was made in a cluster. */
interface GuideItem {
  readonly name: string;
  readonly text: string;
}

interface GuideCluster {
  readonly name: string;
  /** Counts from 1; shell variables are numbered, because a cluster's name need not be a variable's. */
  readonly number: number;
  readonly role: string;
  readonly context: string | undefined;
  readonly kubeconfig: string | undefined;
  /** What `--kube-context` gets in the commands by hand. */
  readonly shownContext: string;
  readonly facts: string;
  readonly namespaces: readonly { readonly name: string; readonly carries: string }[];
  readonly signer: { readonly folder: string; readonly root: string } | undefined;
  readonly items: readonly GuideItem[];
}

/** The Secret cacerts of a primary. */
interface GuideSigner {
  readonly cluster: string;
  readonly shownContext: string;
  readonly namespace: string;
  readonly folder: string;
}

interface GuideStep {
  readonly cluster: string;
  readonly shownContext: string;
  readonly name: string;
  readonly namespace: string;
  readonly folder: string | undefined;
  /** Whether helm waits until it works. Not for the ILBs: their addresses may take long, and nothing that is ready needs them. */
  readonly waits: boolean;
  /** Setting to upgrade with before it is uninstalled, so that nothing is left: routes on nodes, Services that helm would keep. */
  readonly removeWith: string | undefined;
}

interface GuideWaiting {
  readonly cluster: string;
  readonly name: string;
  readonly text: string;
}

interface GuideSecret {
  readonly name: string;
  readonly primary: string;
  readonly remote: string;
  readonly namespace: string;
  readonly release: string;
  readonly primaryContext: string;
  readonly remoteContext: string;
  readonly serverKnown: boolean;
}

const removeWith: Readonly<Record<IndexedRelease['chart'], string | undefined>> = {
  'istio-base': undefined,
  istiod: undefined,
  'istio-ilb': 'keep=false',
  'eastwest-gateway': 'service.keep=false',
  'ambient-gateway': undefined,
  'route-installer': 'mode=remove',
  'istio-reader': undefined,
  'istio-remote': undefined,
  'istio-remote-classic': undefined,
};

export interface Guide {
  readonly mesh: string;
  readonly meshID: string;
  readonly istioVersion: string;
  readonly isthmusVersion: string;
  readonly namespacesRelease: string;
  readonly clusters: readonly GuideCluster[];
  /** Before the secrets, and after them. */
  readonly signers: readonly GuideSigner[];
  readonly steps: readonly GuideStep[];
  readonly lateSteps: readonly GuideStep[];
  readonly removals: readonly GuideStep[];
  /** Secrets whose token is made by a release that is ready. */
  readonly secrets: readonly GuideSecret[];
  /** All Secrets and, in `removals`, all releases: what waits now may have been installed before. */
  readonly secretRemovals: readonly GuideSecret[];
  readonly waiting: readonly GuideWaiting[];
  readonly findings: readonly { readonly code: string; readonly severity: string; readonly message: string }[];
}

/** The data of the templates README.md.hbs and install.sh.hbs: every step in order of installation, and what waits. */
export function guideData(plan: MeshPlan, index: ReleaseIndex): Guide {
  const ready = index.releases.filter(({ folder }) => folder !== undefined);
  const [early, late] = [ready.filter(({ order }) => order < remoteSecretOrder), ready.filter(({ order }) => order >= remoteSecretOrder)];
  return {
    mesh: plan.mesh,
    meshID: plan.meshID,
    istioVersion: plan.istio.version,
    isthmusVersion: index.isthmus,
    namespacesRelease,
    clusters: clustersByName(plan).map((cluster, position) => guideCluster(cluster, position + 1, index)),
    signers: index.clusters.flatMap(({ name, signer }) =>
      signer === undefined
        ? []
        : [{ cluster: name, shownContext: shownContext(name, index), namespace: index.istio.namespace, folder: signer.folder }],
    ),
    steps: early.map((release) => guideStep(release, index)),
    lateSteps: late.map((release) => guideStep(release, index)),
    removals: index.releases.map((release) => guideStep(release, index)).toReversed(),
    secrets: readySecrets(index).map((secret) => guideSecret(secret, index)),
    secretRemovals: index.remoteSecrets.map((secret) => guideSecret(secret, index)),
    waiting: index.releases.filter(({ folder }) => folder === undefined).map(guideWaiting),
    findings: plan.findings.map(({ code, severity, message }) => ({ code, severity, message })),
  };
}

function guideCluster(cluster: ClusterPlan, number: number, index: ReleaseIndex): GuideCluster {
  const { name, role, summary } = cluster;
  const indexed = index.clusters.find((candidate) => candidate.name === name);
  const kubernetes = summary.kubernetes === undefined ? [] : [`Kubernetes ${summary.kubernetes}`];
  const pods = summary.podCIDRs.map(({ cidr }) => `pods ${cidr}`);
  return {
    name,
    number,
    role,
    context: indexed?.context,
    kubeconfig: indexed?.kubeconfig,
    shownContext: shownContext(name, index),
    facts: [role, ...kubernetes, ...(summary.cni === undefined ? [] : [summary.cni]), count(cluster.nodes.length, 'node'), ...pods].join(
      ', ',
    ),
    namespaces: cluster.namespaces.map((namespace) => ({
      name: namespace.name,
      carries: [...Object.entries(namespace.labels), ...Object.entries(namespace.annotations)]
        .map(([key, value]) => `\`${key}=${value}\``)
        .join(', '),
    })),
    signer: indexed?.signer,
    items: cluster.releases
      .filter(({ waitsFor }) => waitsFor.length === 0)
      .map((release) => ({ name: release.name, text: describe(release, cluster) })),
  };
}

function guideStep(release: IndexedRelease, index: ReleaseIndex): GuideStep {
  const { cluster, name, namespace, folder, chart } = release;
  return {
    cluster,
    shownContext: shownContext(cluster, index),
    name,
    namespace,
    folder,
    waits: chart !== 'istio-ilb',
    removeWith: folder === undefined ? undefined : removeWith[chart],
  };
}

function guideWaiting({ cluster, name, waitsFor }: IndexedRelease): GuideWaiting {
  return { cluster, name, text: waitsFor.join(', ') };
}

function readySecrets(index: ReleaseIndex): ReleaseIndex['remoteSecrets'] {
  const waits = (remote: string) => index.releases.some(({ cluster, folder }) => cluster === remote && folder === undefined);
  return index.remoteSecrets.filter(({ remote }) => !waits(remote));
}

function guideSecret(secret: ReleaseIndex['remoteSecrets'][number], index: ReleaseIndex): GuideSecret {
  const { name, primary, remote, namespace, server } = secret;
  return {
    name,
    primary,
    remote,
    namespace,
    release: remoteSecretRelease(remote),
    primaryContext: shownContext(primary, index),
    remoteContext: shownContext(remote, index),
    serverKnown: server !== undefined,
  };
}

/** The context from mesh.yaml; the cluster's name stands for it where mesh.yaml names none. */
function shownContext(cluster: string, index: ReleaseIndex): string {
  return index.clusters.find(({ name }) => name === cluster)?.context ?? cluster;
}

function describe(release: PlannedRelease, cluster: ClusterPlan): string {
  switch (release.chart) {
    case 'istio-base':
      return 'custom resource definitions of Istio';
    case 'istiod':
      return 'the control plane of the mesh';
    case 'istio-ilb':
      return release.services
        .map(({ name, ports }) => `${name} (${ports.map(({ port, protocol }) => portText(port, protocol)).join(', ')})`)
        .join(', ');
    case 'route-installer':
      return `${count(release.values.routes.length, 'route')} on ${count(cluster.nodes.length, 'node')}`;
    case 'eastwest-gateway':
      return `gateway of network ${release.values.network} (${release.service.ports.map(({ port }) => port).join(', ')})`;
    case 'ambient-gateway':
      return `ambient gateway of network ${release.values.network} (${release.service.ports.map(({ port }) => port).join(', ')}), not proven by traffic`;
    case 'istio-reader':
      return `ServiceAccount ${release.values.serviceAccount}, as which other clusters read this one`;
    case 'istio-remote':
      return `istiod at ${release.values.webhook.injectionURL || release.values.remotePilotAddresses.join(', ')}`;
    case 'istio-remote-classic':
      return Object.entries(release.values.endpoints)
        .flatMap(([name, addresses]) => (addresses === undefined ? [] : [`${name} at ${addresses.join(', ')}`]))
        .join(', ');
  }
}

function portText(port: number, protocol: string): string {
  return protocol === 'TCP' ? String(port) : `${port}/${protocol}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
