// install.sh of a bundle: what it must know about the clusters, put into its template.
import { istioNames, namespacesRelease, signerSecret } from '../base/names.ts';
import { toYaml } from '../base/yaml.ts';
import { renderTemplate } from '../render/templates.ts';
import type { Artifact, ReleaseIndex, TemplateSources } from '../render/types.ts';
import { mirroredHub, mirroredImage, rewriteRules } from './images.ts';
import { hubText } from './injectors.ts';
import type { ImageLock } from './types.ts';

type IndexedRemoteSecret = ReleaseIndex['remoteSecrets'][number];

/** Stands where the token, the certificate authority and the URL come in; nothing of a kubeconfig looks like it, and YAML takes it bare. */
const stands = {
  token: 'isthmus.token.stands.here',
  authority: 'isthmus.authority.stands.here',
  server: 'isthmus.server.stands.here',
} as const;

/** What a bundle knows of its images. */
export interface ScriptImages {
  readonly images: ImageLock;
  /** Where the istiods of the bundle take images from. */
  readonly hubs: readonly string[];
}

/** The script that installs an unpacked bundle with kubectl and sha256sum alone. Pure: it holds no secret and nothing of this machine. */
export function installScript(index: ReleaseIndex, images: ScriptImages, templates: TemplateSources): Artifact {
  const { mesh, istio, isthmus, routesNamespace } = index;
  const data = {
    mesh,
    istioVersion: istio.version,
    istioNamespace: istio.namespace,
    isthmusVersion: isthmus,
    namespacesRelease,
    routesNamespace,
    signerSecret,
    rootConfigMap: istioNames.rootCertConfigMap,
    releaseNames: [...new Set(index.releases.map(({ name }) => name))].sort(),
    clusters: index.clusters.map((cluster, position) => clusterData(cluster, position + 1, index)),
    secrets: index.remoteSecrets.map(secretData),
    ...relocations(images),
  };
  return { path: 'install.sh', contents: renderTemplate(templates, 'bundle-install.sh.hbs', data), executable: true };
}

/** Shell variables are numbered, because a cluster's name need not be a variable's. */
function clusterData(cluster: ReleaseIndex['clusters'][number], number: number, index: ReleaseIndex) {
  const { name, context, uid, namespaces, controlPlane } = cluster;
  const releases = index.releases.filter((release) => release.cluster === name);
  return {
    name,
    number,
    context,
    uid,
    // What follows from it is of today's istiod; the control plane of Istio 0.8 writes nothing into its remotes.
    controlPlane: releases.some(({ chart }) => chart === 'istio-remote') ? controlPlane : undefined,
    ownIstio: releases.some(({ chart }) => chart === 'istiod'),
    roots: rootSums(cluster),
    server: index.remoteSecrets.find(({ remote }) => remote === name)?.server,
    namespaces: namespaces.map((namespace) => ({ name: namespace.name })),
    releases: releases.map((release) => ({ name: release.name, namespace: release.namespace })),
  };
}

/** Fingerprints of a planned root as sha256sum prints them, between spaces; undefined where the mesh has no root of its own. */
function rootSums({ signer }: ReleaseIndex['clusters'][number]): string | undefined {
  return signer?.root.replaceAll(':', '').toLowerCase();
}

function secretData(secret: IndexedRemoteSecret) {
  const { primary, remote, name, namespace, tokenSecret } = secret;
  const [before = '', after = ''] = kubeconfigTemplate(remote).split(stands.server);
  return { primary, remote, name, namespace, tokenSecret, before, after };
}

/** Images of manifests and hubs of istiods as their lines have them, and what they are called below a mirror. */
function relocations({ images: lock, hubs }: ScriptImages) {
  const rules = rewriteRules(lock);
  return {
    images: lock.images
      .filter(({ sources }) => sources.includes('chart'))
      .map(({ image }) => ({ written: toYaml(image).trimEnd(), to: mirroredImage(image, rules, 'mirror').slice('mirror/'.length) })),
    hubs: hubs.map((hub) => ({ written: hubText(hub), to: mirroredHub(hub, rules, 'mirror').slice('mirror'.length) })),
  };
}

/** The kubeconfig of the remote secret as a Go template of kubectl: byte for byte what `isthmus install` writes, so that neither undoes the other's work. */
function kubeconfigTemplate(name: string): string {
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ cluster: { 'certificate-authority-data': stands.authority, server: stands.server }, name }],
    contexts: [{ context: { cluster: name, user: name }, name }],
    'current-context': name,
    preferences: {},
    users: [{ name, user: { token: stands.token } }],
  };
  return toYaml(kubeconfig).replace(stands.authority, '{{index .data "ca.crt"}}').replace(stands.token, '{{.data.token | base64decode}}');
}
