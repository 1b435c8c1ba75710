// Checks what a remote needs: a primary with a control plane, no Istio of someone else, an API server that the primary reaches.
import { shortFingerprint } from '../../base/certificates.ts';
import { releaseNames } from '../../base/names.ts';
import { makeFinding } from '../../findings/index.ts';
import type { Finding } from '../../findings/types.ts';
import type { ResolvedCluster } from '../cluster.ts';
import { compareText, listText, sortBy } from '../text.ts';

/** The primary that serves a remote: the one it names, else the only one, else the only one of its network. */
export function primaryOf(remote: ResolvedCluster, clusters: readonly ResolvedCluster[]): ResolvedCluster | undefined {
  const primaries = clusters.filter((cluster) => cluster.spec.role === 'primary');
  const wanted = remote.spec.controlPlane;
  if (wanted !== undefined) return primaries.find((primary) => primary.name === wanted);
  const near = primaries.length === 1 ? primaries : primaries.filter((primary) => primary.network === remote.network);
  return near.length === 1 ? near[0] : undefined;
}

/** Findings about one remote and its primary. */
export function checkRemote(remote: ResolvedCluster, primary: ResolvedCluster | undefined): Finding[] {
  return [...checkControlPlane(remote, primary), ...checkOwnIstio(remote), ...checkServer(remote)];
}

/** Says when workloads of two clusters have, or would get, certificates of different roots. */
export function checkRoots(clusters: readonly ResolvedCluster[]): Finding[] {
  const byRoot = new Map<string, string[]>();
  for (const { root, where } of clusters.flatMap(rootsOf)) byRoot.set(root, [...(byRoot.get(root) ?? []), where]);
  if (byRoot.size <= 1) return [];
  const roots = [...byRoot].sort(([a], [b]) => compareText(a, b)).map(([root, names]) => `${shortFingerprint(root)} in ${listText(names)}`);
  return [makeFinding({ code: 'ISM074', message: `The root certificates differ: ${listText(roots)}.` })];
}

/** The root that is in use, and the one that the user gives. What an Istio that is gone left in a primary counts for nothing. */
function rootsOf({ name, spec, facts, givenRoot }: ResolvedCluster): { readonly root: string; readonly where: string }[] {
  const used = facts.istio?.rootCertFingerprint;
  const inUse = used !== undefined && (spec.role === 'remote' || (facts.istio?.revisions ?? []).length > 0);
  return [
    ...(inUse ? [{ root: used.value, where: name }] : []),
    ...(givenRoot === undefined ? [] : [{ root: givenRoot.value, where: givenRoot.source }]),
  ];
}

function checkControlPlane(remote: ResolvedCluster, primary: ResolvedCluster | undefined): Finding[] {
  const cluster = remote.name;
  if (primary === undefined) {
    const wanted = remote.spec.controlPlane;
    const message = wanted === undefined ? 'It is not clear which primary serves it.' : `There is no primary ${wanted} in mesh.yaml.`;
    return [makeFinding({ code: 'ISM076', cluster, message, hint: 'Set `controlPlane` of this cluster to the name of a primary.' })];
  }
  if ((primary.facts.istio?.revisions ?? []).length > 0) return [];
  if (!primary.readable) {
    const message = `${primary.name} is known by text only, so it is not checked that istiod runs there.`;
    return [makeFinding({ code: 'ISM076', severity: 'warning', cluster, message })];
  }
  return [makeFinding({ code: 'ISM076', cluster, message: `No istiod was found in its primary, ${primary.name}.` })];
}

function checkOwnIstio(remote: ResolvedCluster): Finding[] {
  const foreign = (remote.facts.istio?.revisions ?? []).filter(({ managedBy }) => managedBy !== `Helm release ${releaseNames.remote}`);
  if (foreign.length === 0) return [];
  const shown = sortBy(foreign, ({ name }) => name).map(({ name, managedBy }) => {
    const revision = name === '' ? 'the default revision' : `revision ${name}`;
    return managedBy === undefined ? revision : `${revision} (${managedBy})`;
  });
  return [makeFinding({ code: 'ISM075', cluster: remote.name, message: `A control plane runs here: ${listText(shown)}.` })];
}

function checkServer(remote: ResolvedCluster): Finding[] {
  const server = remote.spec.apiServer ?? remote.facts.server?.value;
  const reason = server === undefined ? undefined : serverProblem(server);
  if (reason === undefined) return [];
  const hint = 'Write the URL as the primary reaches it in `apiServer` of this cluster.';
  return [makeFinding({ code: 'ISM077', cluster: remote.name, message: `The API server URL ${reason}.`, hint })];
}

/** Why istiod of another cluster cannot use the URL. The text never repeats credentials. */
function serverProblem(server: string): string | undefined {
  if (!URL.canParse(server)) return 'is no URL';
  const { protocol, hostname, username, password, search, hash, origin } = new URL(server);
  if (protocol !== 'https:') return `${origin} does not use https`;
  if (username !== '' || password !== '') return `of ${hostname} holds a user name or password`;
  if (search !== '' || hash !== '') return `of ${hostname} has a query`;
  const local =
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    /^127\./.test(hostname) ||
    ['0.0.0.0', '[::1]', '[::]'].includes(hostname);
  return local ? `${origin} leads each machine to itself` : undefined;
}
