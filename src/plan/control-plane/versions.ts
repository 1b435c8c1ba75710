// Whether versions go together: Istio of mesh.yaml, Istio of the primary, Kubernetes. The ranges are those of Istio's support page.
import { makeFinding } from '../../findings/index.ts';
import type { Finding } from '../../findings/types.ts';
import type { Mesh } from '../../spec/schema.ts';
import type { ResolvedCluster } from '../cluster.ts';
import { chosenRevision } from './revision.ts';

interface Version {
  readonly major: number;
  readonly minor: number;
}

/** First and last minor version of Kubernetes 1.x, by minor version of Istio 1.x. */
const supportedKubernetes: ReadonlyMap<number, readonly [number, number]> = new Map([
  [24, [28, 31]],
  [25, [29, 32]],
  [26, [29, 33]],
  [27, [29, 33]],
  [28, [30, 34]],
  [29, [31, 35]],
  [30, [32, 36]],
  [31, [32, 36]],
]);

/** Istio 0.8 uses APIs that Kubernetes 1.16 removed. */
const classicKubernetes = [7, 15] as const;

const newestKnown = Math.max(...supportedKubernetes.keys());

/** Findings about the version of Istio in mesh.yaml, and in the primaries. */
export function checkIstioVersions(mesh: Mesh, primaries: readonly ResolvedCluster[]): Finding[] {
  const wanted = parseVersion(mesh.istio.version);
  if (wanted === undefined || !isKnown(wanted)) {
    return [makeFinding({ code: 'ISM070', message: `Istio ${mesh.istio.version} is not supported; 0.8 and 1.24 or later are.` })];
  }
  const newer = wanted.major > 1 || wanted.minor > newestKnown;
  const message = `Istio ${mesh.istio.version} is newer than isthmus was tried with (1.${newestKnown}).`;
  return [
    ...(newer ? [makeFinding({ code: 'ISM070', severity: 'warning', message })] : []),
    ...primaries.flatMap((primary) => checkSkew(mesh, wanted, primary)),
  ];
}

/** Says when Istio does not support the Kubernetes of a cluster. */
export function checkKubernetes(mesh: Mesh, cluster: ResolvedCluster): Finding[] {
  const istio = parseVersion(mesh.istio.version);
  const text = cluster.facts.kubernetes?.value;
  const kubernetes = text === undefined ? undefined : parseVersion(text);
  const range = istio === undefined ? undefined : kubernetesRange(istio);
  if (kubernetes === undefined || range === undefined) return [];
  const [first, last] = range;
  if (kubernetes.major === 1 && kubernetes.minor >= first && kubernetes.minor <= last) return [];
  const message = `Istio ${mesh.istio.version} supports Kubernetes 1.${first} to 1.${last}; this cluster runs ${text}.`;
  return [makeFinding({ code: 'ISM071', cluster: cluster.name, message })];
}

function isKnown({ major, minor }: Version): boolean {
  return major === 0 ? minor === 8 : major > 1 || minor >= 24;
}

function kubernetesRange({ major, minor }: Version): readonly [number, number] | undefined {
  return major === 0 ? classicKubernetes : supportedKubernetes.get(minor);
}

function checkSkew(mesh: Mesh, wanted: Version, primary: ResolvedCluster): Finding[] {
  const text = chosenRevision(primary, mesh.istio.revision)?.version;
  const found = text === undefined ? undefined : parseVersion(text);
  if (found === undefined) return [];
  const apart = found.major === wanted.major ? Math.abs(found.minor - wanted.minor) : Number.POSITIVE_INFINITY;
  if (apart === 0) return [];
  const message = `istiod here is ${text}, mesh.yaml says ${mesh.istio.version}.`;
  const severity = apart === 1 ? 'warning' : 'error';
  return [
    makeFinding({ code: 'ISM070', severity, cluster: primary.name, message, hint: `Set \`istio.version: ${text}\`, or upgrade istiod.` }),
  ];
}

function parseVersion(text: string): Version | undefined {
  const [, major, minor] = /^v?([0-9]+)\.([0-9]+)/.exec(text) ?? [];
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}
