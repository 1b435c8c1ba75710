// Findings about the inputs: clusters given twice or swapped, facts that are old, incomplete or reported a problem.
import type { ClusterFacts } from '../facts/schema.ts';
import { findingKind, isFindingCode, makeFinding } from '../findings/index.ts';
import type { Finding } from '../findings/types.ts';
import type { Mesh } from '../spec/schema.ts';
import type { ResolvedCluster } from './cluster.ts';
import { listText } from './text.ts';
import type { ClusterInput } from './types.ts';

/** Facts older than this may name the wrong node for a block: Calico moves blocks within minutes. */
const maxAgeMinutes = 15;
/** Clocks of two machines may differ by as much. */
const maxSkewMinutes = 5;

/** Codes that are about pod blocks; they mean nothing for a cluster that gets and gives no routes. */
const blockCodes: ReadonlySet<string> = new Set(['ISM032', 'ISM033', 'ISM034', 'ISM035', 'ISM036', 'ISM037', 'ISM038', 'ISM044']);

/** Two entries of mesh.yaml that lead to one cluster. */
export function findSameClusters(clusters: readonly ResolvedCluster[]): Finding[] {
  return clusters.flatMap((a, index) =>
    clusters.slice(index + 1).flatMap((b) => {
      const shared = sharedIdentity(a, b);
      if (shared === undefined) return [];
      return [makeFinding({ code: 'ISM001', message: `${a.name} and ${b.name} are the same cluster: both have ${shared}.` })];
    }),
  );
}

/** Facts that were read from a cluster of another name. */
export function findSwapped(inputs: readonly ClusterInput[]): Finding[] {
  return inputs.flatMap(({ name, found }) => {
    if (found === undefined || found.cluster === name) return [];
    return [makeFinding({ code: 'ISM002', cluster: name, message: `Its facts were read from ${found.cluster}.` })];
  });
}

/** Facts that are too old, or newer than now. */
export function findStale(inputs: readonly ClusterInput[], now: Date): Finding[] {
  return inputs.flatMap(({ name, found }) => (found?.collectedAt === undefined ? [] : ageFinding(name, found.collectedAt, now)));
}

/** What the plan would need and does not know; one finding per cluster. */
export function findUnknown(cluster: ResolvedCluster): Finding[] {
  const unknown = [
    cluster.facts.kubernetes === undefined ? 'Kubernetes version' : '',
    cluster.serviceCIDRs.length === 0 ? 'service CIDRs' : '',
    cluster.podCIDRsKnown ? '' : 'pod CIDRs',
  ].filter((what) => what !== '');
  if (unknown.length === 0) return [];
  const why = cluster.readable ? 'Not found in the cluster' : 'The cluster is known by text only, so these are unknown';
  return [
    makeFinding({ code: 'ISM007', cluster: cluster.name, message: `${why}: ${listText(unknown)}. Checks that need them are left out.` }),
  ];
}

/**
 * What the inspection of a cluster reported, without what is about pod blocks when the cluster needs no routes, and without facts of
 * the whole cluster that it missed: those may be in mesh.yaml, and `findUnknown` looks at both.
 */
export function findReported(cluster: ResolvedCluster, needsRoutes: boolean): Finding[] {
  return cluster.facts.problems
    .filter((problem) => needsRoutes || !blockCodes.has(problem.code))
    .filter((problem) => problem.code !== 'ISM007' || problem.where !== undefined)
    .map((problem) => reported(cluster.name, problem));
}

/** Codes in `ignore` that no finding has, with their position in mesh.yaml. */
export function findUnknownIgnores({ ignore }: Mesh, locate: (path: readonly (string | number)[]) => string): Finding[] {
  return [...new Set(ignore)]
    .filter((code) => findingKind(code) === undefined)
    .map((code) => {
      const where = locate(['ignore', ignore.indexOf(code)]);
      return makeFinding({ code: 'ISM009', where, message: `\`ignore\` names ${code}, and there is no such finding.` });
    });
}

function sharedIdentity(a: ResolvedCluster, b: ResolvedCluster): string | undefined {
  const uids = [a.facts.uid?.value, b.facts.uid?.value];
  if (uids[0] !== undefined && uids[1] !== undefined) {
    return uids[0] === uids[1] ? `the UID ${uids[0]} of namespace kube-system` : undefined;
  }
  if (a.spec.context !== undefined && a.spec.context === b.spec.context && a.spec.kubeconfig === b.spec.kubeconfig) {
    return `the context ${a.spec.context}`;
  }
  const server = a.facts.server?.value;
  return server !== undefined && server === b.facts.server?.value ? `the API server ${server}` : undefined;
}

function ageFinding(cluster: string, collectedAt: string, now: Date): Finding[] {
  const minutes = (now.getTime() - Date.parse(collectedAt)) / 60_000;
  if (minutes > maxAgeMinutes) {
    return [makeFinding({ code: 'ISM003', cluster, message: `It was read at ${collectedAt}, more than ${maxAgeMinutes} minutes ago.` })];
  }
  if (minutes < -maxSkewMinutes) {
    return [
      makeFinding({ code: 'ISM004', cluster, message: `It was read at ${collectedAt}, which is later than the clock of this machine.` }),
    ];
  }
  return [];
}

function reported(cluster: string, problem: ClusterFacts['problems'][number]): Finding {
  const { code, message } = problem;
  const details = {
    cluster,
    ...(problem.where === undefined ? {} : { where: problem.where }),
    ...(problem.hint === undefined ? {} : { hint: problem.hint }),
  };
  if (isFindingCode(code)) return makeFinding({ code, message, ...details });
  return makeFinding({ code: 'ISM008', message: `${code}: ${message}`, ...details });
}
