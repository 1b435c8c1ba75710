// A first mesh.yaml for clusters that were just looked at: short, commented, and accepted by loadMesh as it is.
import { dns1123Label, escapeText, maxClusterName } from '../base/names.ts';
import { toYaml } from '../base/yaml.ts';

/** One cluster to be written; what is absent is left to its default. */
export interface InitialCluster {
  readonly name: string;
  readonly context: string;
  readonly kubeconfig?: string;
  /** primary for the first cluster and remote for the others when absent. */
  readonly role?: 'primary' | 'remote';
  readonly network?: string;
  readonly podCIDRs?: readonly string[];
  readonly serviceCIDRs?: readonly string[];
  readonly apiServer?: string;
  /** What was found, one line each: version, CNI, pods, nodes. Shown escaped, because a cluster may say anything. */
  readonly comments: readonly string[];
}

export interface InitialMesh {
  /** Name of the mesh, an RFC 1123 label. */
  readonly name: string;
  /** Fields of `istio` that differ from their defaults, in the order in which they are to be read. */
  readonly istio: { readonly version: string } & Readonly<Record<string, string>>;
  readonly clusters: readonly InitialCluster[];
}

/**
 * The text of a mesh.yaml with comments above every cluster.
 * @param mesh clusters in order, with names that `clusterNames` made or that the user chose
 */
export function initialMesh({ name, istio, clusters }: InitialMesh): string {
  return [
    '# What isthmus joins into one Istio mesh. Every field that is not here has a default; docs/mesh.md lists them all.\n',
    toYaml({ apiVersion: 'isthmus/v1', kind: 'Mesh', metadata: { name }, istio }),
    'clusters:\n',
    ...clusters.map((cluster, index) => clusterText(cluster, index)),
  ].join('');
}

/**
 * Names for clusters that are known by their kubeconfig contexts only: RFC 1123 labels of at most 40 characters, all different.
 * Of names that tools compose, the part that names the cluster is taken: `arn:aws:eks:eu-west-1:1:cluster/prod` gives `prod`,
 * `gke_project_zone_name` gives `name`, `user@cluster` gives `cluster`, `namespace/api-host:6443/user` gives `api-host`.
 */
export function clusterNames(contexts: readonly string[]): string[] {
  const taken = new Set<string>();
  return contexts.map((context) => {
    const name = untaken(toLabel(clusterPart(context)), taken);
    taken.add(name);
    return name;
  });
}

function clusterText({ comments, ...cluster }: InitialCluster, index: number): string {
  const { name, role = index === 0 ? 'primary' : 'remote', ...rest } = cluster;
  const lines = [
    ...(index === 0 ? [] : ['']),
    ...comments.map((comment) => `  # ${escapeText(comment)}`),
    ...toYaml([{ name, role, ...rest }])
      .trimEnd()
      .split('\n')
      .map((line) => `  ${line}`),
  ];
  return `${lines.join('\n')}\n`;
}

function clusterPart(context: string): string {
  const patterns = [/^arn:[^:]*:eks:.*:cluster\/(.+)$/, /^gke_[^_]+_[^_]+_(.+)$/, /^[^/]+\/([^/:]+)(?::[0-9]+)?\/[^/]+$/, /@([^@]+)$/];
  for (const pattern of patterns) {
    const part = pattern.exec(context)?.[1];
    if (part !== undefined) return part;
  }
  return context;
}

function toLabel(text: string): string {
  const label = cut(text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'), maxClusterName);
  return dns1123Label.test(label) ? label : 'cluster';
}

function untaken(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name) && !(name in Object.prototype)) return name;
  let number = 2;
  while (taken.has(numbered(name, number))) number++;
  return numbered(name, number);
}

function numbered(name: string, number: number): string {
  const suffix = `-${number}`;
  return `${cut(name, maxClusterName - suffix.length)}${suffix}`;
}

function cut(label: string, longest: number): string {
  return label.replace(/^-+/, '').slice(0, longest).replace(/-+$/, '');
}
