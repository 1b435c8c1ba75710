// Names that Kubernetes and Istio give to things, and the rules they keep.

/** Longest name of a cluster, in characters: it becomes a label value, part of Secret names and of helm release names. */
export const maxClusterName = 40;

/** RFC 1123 label, as Kubernetes checks it; `$` is safe because JavaScript without the m flag anchors at the very end. */
export const dns1123Label = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** Labels and annotations of Istio that isthmus sets or reads. */
export const istioNames = {
  networkLabel: 'topology.istio.io/network',
  controlPlaneClusters: 'topology.istio.io/controlPlaneClusters',
  multiClusterLabel: 'istio/multiCluster',
  clusterAnnotation: 'networking.istio.io/cluster',
  revisionLabel: 'istio.io/rev',
  readerServiceAccount: 'istio-reader-service-account',
  rootCertConfigMap: 'istio-ca-root-cert',
} as const;

/** ServiceAccount by which the istiod of other clusters reads a primary; that of Istio's own charts may be switched off there. */
export const primaryReader = 'isthmus-reader';

/** Field manager of every server-side apply that isthmus does itself (helm's is `helm`). */
export const fieldManager = 'isthmus';

/** Labels of the objects that isthmus writes without helm; uninstall deletes by them. */
export const ownLabels = { 'app.kubernetes.io/managed-by': 'isthmus' } as const;

/** Names of the releases, which are also the names of the charts they come from. */
export const releaseNames = {
  istioBase: 'istio-base',
  istiod: 'istiod',
  ilb: 'istio-ilb',
  routes: 'route-installer',
  remote: 'istio-remote',
  classic: 'istio-remote-classic',
  gateway: 'eastwest-gateway',
  ambientGateway: 'ambient-gateway',
  reader: 'istio-reader',
} as const;

/** Release of the namespaces' labels and annotations; it lives in `default`, because the namespaces it makes are not there yet. */
export const namespacesRelease = 'isthmus-namespaces';

/** Names of the ILB Services in front of a primary's control plane: one per component, for Istio 0.8 and for Istio since 1.24. */
export const ilbNames = {
  classic: ['istio-pilot-ilb', 'istio-policy-ilb', 'istio-statsd-prom-bridge-ilb', 'zipkin-ilb', 'istio-citadel-ilb'],
  modern: ['istiod-ilb'],
} as const;

/** The Secret that istiod signs with, by the name that Istio mounts. */
export const signerSecret = 'cacerts';

/** Name of every object of an east-west gateway, its Service among them; the name that Istio's documentation uses. */
export const gatewayName = 'istio-eastwestgateway';

/** The Secret in the primary that lets its istiod read `cluster`; the name istioctl uses. */
export function remoteSecretName(cluster: string): string {
  return `istio-remote-secret-${cluster}`;
}

/** Helm release in which install.sh of a generated folder keeps the remote secret of `cluster`. */
export function remoteSecretRelease(cluster: string): string {
  return `remote-secret-${cluster}`;
}

/** Shows text that people may mistake for another: anything outside printable ASCII becomes its code point. */
export function escapeText(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

const longestShown = 60;

/** `escapeText`, cut short: for names in messages that may be as long as their file. */
export function shortText(text: string): string {
  return escapeText(text.length > longestShown ? `${text.slice(0, longestShown)}...` : text);
}
