// The releases of out/ as manifests for kubectl, sorted into phases: the way in for whoever has no helm and no isthmus.
import { failure } from '../base/errors.ts';
import type { KubeObject } from '../base/objects.ts';
import { toYaml } from '../base/yaml.ts';
import type { Helm } from '../release/helm.ts';
import { objectsOf } from '../release/helm-state.ts';
import type { GeneratedMesh, Release } from '../release/types.ts';
import type { Artifact, ReleaseIndex } from '../render/types.ts';
import { imagesOfManifests } from './images.ts';
import { asHelms, manifestName, type Phase, phaseOf } from './phases.ts';

/** An object as its file holds it. */
export interface RenderedManifest extends Artifact {
  readonly object: KubeObject;
}

export interface ManifestInput {
  readonly generated: GeneratedMesh;
  readonly helm: Pick<Helm, 'run'>;
  /** Kubernetes version by cluster, `1.34.4`; for a cluster that is not named the oldest one is taken that its mesh can run on. */
  readonly kubernetes: ReadonlyMap<string, string>;
}

type IndexedCluster = ReleaseIndex['clusters'][number];

interface Placed {
  readonly phase: Phase;
  readonly object: KubeObject;
}

/** What was rendered for an old Kubernetes runs on newer ones, not the other way round. */
const oldest = { classic: '1.10.0', modern: '1.28.0' } as const;

const podSecurity = 'pod-security.kubernetes.io/';
/** Minor version of Kubernetes that first reads those labels; older ones are spared what they do not know. */
const podSecuritySince = 23;

/** Hooks of helm that matter to nobody but helm. */
const testHook = /^(?:test|test-success)$/;

/**
 * Renders every release of every cluster, `manifests/<cluster>/<phase>/<kind>-<name>.yaml`, one object in each file.
 * The objects are parsed and written again, so the bytes are the same whichever helm rendered them. `90-removal` holds the agents in mode
 * remove, which take the routes from the nodes.
 * @returns files in bytewise order of path; no Secret among them holds data
 * @throws IsthmusError when a release waits for something, when helm fails, or when a chart has hooks, which kubectl knows nothing of
 */
export async function renderManifests(input: ManifestInput): Promise<readonly RenderedManifest[]> {
  const artifacts: RenderedManifest[] = [];
  for (const cluster of input.generated.index.clusters) {
    const namespaces = cluster.namespaces.map((namespace) => placedNamespace(namespace, kubernetesOf(cluster.name, input)));
    const placed = [...namespaces, ...(await renderCluster(cluster, input))];
    artifacts.push(...placed.map((each) => artifactOf(each, cluster.name)));
  }
  refuseClashes(artifacts);
  refuseHiddenImages(artifacts);
  return artifacts.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Applied by isthmus's own field manager, not helm's, as `isthmus install` does it: so it bears no mark of helm. */
function placedNamespace({ name, labels, annotations }: IndexedCluster['namespaces'][number], kubernetes: string): Placed {
  const known = Object.entries(labels).filter(([key]) => !(key.startsWith(podSecurity) && isOlder(kubernetes, podSecuritySince)));
  const metadata = { name, labels: Object.fromEntries(known), annotations };
  return { phase: '00-namespaces', object: { apiVersion: 'v1', kind: 'Namespace', metadata } };
}

function kubernetesOf(cluster: string, { kubernetes, generated }: ManifestInput): string {
  return kubernetes.get(cluster) ?? oldest[eraOf(generated.index)];
}

async function renderCluster(cluster: IndexedCluster, input: ManifestInput): Promise<readonly Placed[]> {
  const placed: Placed[] = [];
  for (const release of input.generated.releases.filter((each) => each.cluster === cluster.name)) {
    const objects = await renderRelease(release, input);
    placed.push(...objects.map((object) => ({ phase: phaseOf(object, release), object })));
    if (release.chart !== 'route-installer') continue;
    const removing = (await renderRelease(release, input, { mode: 'remove' })).filter(({ kind }) => isOfAgents(kind));
    placed.push(...removing.map((object) => ({ phase: '90-removal', object }) as const));
  }
  return placed;
}

function isOfAgents(kind: string): boolean {
  return kind === 'ConfigMap' || kind === 'DaemonSet' || kind === 'Job';
}

async function renderRelease(release: Release, input: ManifestInput, values: object = {}): Promise<readonly KubeObject[]> {
  const { cluster, name, namespace, chartPath, waitsFor } = release;
  if (chartPath === undefined)
    throw failure(`${name} waits for ${waitsFor.join(', ')}, and a bundle cannot be completed later`, {
      where: cluster,
      hint: 'Set the address in mesh.yaml (loadBalancer.addresses or remotePilotAddress), generate again, and then make the bundle.',
    });
  const version = kubernetesOf(cluster, input);
  const args = ['template', name, chartPath, '--namespace', namespace, '--include-crds', '--kube-version', version, '--values', '-'];
  const text = await input.helm.run(args, { where: cluster, input: toYaml(values) });
  return objectsOf(text, `helm template ${name}`)
    .filter((object) => !isHook(object, release))
    .map((object) => asHelms(object, release));
}

function eraOf({ releases }: ReleaseIndex): keyof typeof oldest {
  return releases.some(({ chart }) => chart === 'istio-remote-classic') ? 'classic' : 'modern';
}

function isOlder(kubernetes: string, minor: number): boolean {
  const [, major = '1', own = '0'] = /^v?(\d+)\.(\d+)/.exec(kubernetes) ?? [];
  return Number(major) === 1 && Number(own) < minor;
}

function isHook({ kind, metadata }: KubeObject, { cluster, name }: Release): boolean {
  const hook = metadata.annotations?.['helm.sh/hook'];
  if (hook === undefined) return false;
  if (hook.split(',').every((event) => testHook.test(event.trim()))) return true;
  throw failure(`${kind} ${metadata.name} is a hook (${hook}); kubectl would apply it at another time than helm`, {
    where: `${cluster}/${name}`,
    hint: 'Take the annotation helm.sh/hook out of the template.',
  });
}

function artifactOf({ phase, object }: Placed, cluster: string): RenderedManifest {
  return { path: `manifests/${cluster}/${phase}/${manifestName(object)}`, contents: toYaml(object), object };
}

/** install.sh finds images by their lines when it points them at a mirror, so no other text may look like one of them. */
function refuseHiddenImages(artifacts: readonly RenderedManifest[]): void {
  const images = new Set([...imagesOfManifests(artifacts).keys()].map((image) => toYaml(image).trimEnd()));
  for (const { path, contents, object } of artifacts) {
    const lines = [...contents.matchAll(/^.* image: (.+)$/gm)].filter(([, text = '']) => images.has(text));
    if (lines.length !== countImages(object, images)) throw failure('holds a line that looks like an image and is none', { where: path });
  }
}

function countImages(value: unknown, images: ReadonlySet<string>): number {
  if (typeof value !== 'object' || value === null) return 0;
  const counts = Object.entries(value).map(([key, child]) => {
    const isImage = key === 'image' && typeof child === 'string' && images.has(toYaml(child).trimEnd());
    return isImage ? 1 : countImages(child, images);
  });
  return counts.reduce((sum, count) => sum + count, 0);
}

function refuseClashes(artifacts: readonly Artifact[]): void {
  const seen = new Set<string>();
  for (const { path } of artifacts) {
    if (seen.has(path)) throw failure('two objects have the same kind and name', { where: path });
    seen.add(path);
  }
}
