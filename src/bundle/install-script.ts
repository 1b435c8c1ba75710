// install.sh of a bundle: what it must know about the clusters, put into its template.

import { namespacesRelease } from '../base/names.ts';
import { toYaml } from '../base/yaml.ts';
import { renderTemplate } from '../render/templates.ts';
import type { Artifact, ReleaseIndex, TemplateSources } from '../render/types.ts';

import { mirroredImage, rewriteRules } from './images.ts';
import type { ImageLock } from './types.ts';

type IndexedRemoteSecret = ReleaseIndex['remoteSecrets'][number];

/** Stands where the token, the certificate authority and the URL come in; nothing of a kubeconfig looks like it, and YAML takes it bare. */
const stands = {
  token: 'isthmus.token.stands.here',
  authority: 'isthmus.authority.stands.here',
  server: 'isthmus.server.stands.here',
} as const;

/** The script that installs an unpacked bundle with kubectl and sha256sum alone. Pure: it holds no secret and nothing of this machine. */
export function installScript(index: ReleaseIndex, images: ImageLock, templates: TemplateSources): Artifact {
  const { mesh, istio, isthmus, routesNamespace } = index;
  const data = {
    mesh,
    istioVersion: istio.version,
    isthmusVersion: isthmus,
    namespacesRelease,
    routesNamespace,
    releaseNames: [...new Set(index.releases.map(({ name }) => name))].sort(),
    clusters: index.clusters.map((cluster, position) => clusterData(cluster, position + 1, index)),
    secrets: index.remoteSecrets.map(secretData),
    images: imageData(images),
  };
  return { path: 'install.sh', contents: renderTemplate(templates, 'bundle-install.sh.hbs', data), executable: true };
}

/** Shell variables are numbered, because a cluster's name need not be a variable's. */
function clusterData({ name, context, uid, namespaces }: ReleaseIndex['clusters'][number], number: number, index: ReleaseIndex) {
  return {
    name,
    number,
    context,
    uid,
    server: index.remoteSecrets.find(({ remote }) => remote === name)?.server,
    namespaces: namespaces.map((namespace) => ({ name: namespace.name })),
    releases: index.releases
      .filter(({ cluster }) => cluster === name)
      .map((release) => ({ name: release.name, namespace: release.namespace })),
  };
}

function secretData(secret: IndexedRemoteSecret) {
  const { primary, remote, name, namespace, tokenSecret } = secret;
  const [before = '', after = ''] = kubeconfigTemplate(remote).split(stands.server);
  return { primary, remote, name, namespace, tokenSecret, before, after };
}

/** Images of manifests as their lines have them, and what they are called below a mirror. */
function imageData(lock: ImageLock) {
  const rules = rewriteRules(lock);
  return lock.images
    .filter(({ sources }) => sources.includes('chart'))
    .map(({ image }) => ({ written: toYaml(image).trimEnd(), to: mirroredImage(image, rules, 'mirror').slice('mirror/'.length) }));
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
