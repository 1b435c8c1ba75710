// isthmus init: reads clusters and prints a mesh.yaml for them.
import { resolve } from 'node:path';
import { exitCodes, usageError } from '../base/errors.ts';
import type { ClusterFacts } from '../facts/schema.ts';
import { describeCni } from '../render/facts-text.ts';
import { clusterNames, initialMesh } from '../spec/init.ts';
import type { System } from '../system/types.ts';
import { readCluster } from './load.ts';
import type { ParsedArguments, Run } from './types.ts';

/** Istio that is planned for where the primary runs none. */
const defaultIstioVersion = '1.30.3';

/** Where Istio publishes its images; a hub like these is the default of some version. */
const publishedHubs = /^(?:docker\.io\/)?istio$|^registry\.istio\.io\/release$|^gcr\.io\/istio-release$/;

export const run: Run = async (system, args) => {
  const contexts = args.options('context');
  if (contexts.length === 0)
    throw usageError('no cluster is named', {
      hint: 'Give --context once per cluster, the primary first; `kubectl config get-contexts` lists them.',
    });
  const names = clusterNames(contexts);
  const facts = await readContexts(system, args, contexts, names);
  const name = args.option('name') ?? 'mesh';
  const text = initialMesh({
    name,
    istio: initialIstio(facts[0], { name, version: args.option('istio') }),
    clusters: contexts.map((context, index) => ({
      name: names[index] ?? context,
      context,
      ...kubeconfigOf(system, args),
      comments: comments(facts[index]),
    })),
  });
  system.terminal.out(text);
  system.terminal.err('Next: look at it, then isthmus plan\n');
  return exitCodes.ok;
};

/** The field `istio` for a primary as it was found: its version, and what else is not as mesh.yaml would say by default. */
export function initialIstio(facts: ClusterFacts | undefined, wanted: { readonly name: string; readonly version: string | undefined }) {
  const found = facts?.istio?.revisions[0];
  const version = wanted.version ?? found?.version ?? defaultIstioVersion;
  const given = {
    revision: found?.name || undefined,
    hub: found?.hub !== undefined && !publishedHubs.test(found.hub) ? found.hub : undefined,
    meshID: found?.meshID === wanted.name ? undefined : found?.meshID,
    trustDomain: found?.trustDomain === 'cluster.local' ? undefined : found?.trustDomain,
  };
  const differing = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { version, ...Object.fromEntries(differing) };
}

function readContexts(
  system: System,
  args: ParsedArguments,
  contexts: readonly string[],
  names: readonly string[],
): Promise<ClusterFacts[]> {
  const access = kubeconfigOf(system, args);
  return Promise.all(
    contexts.map((context, index) => readCluster(system, { cluster: names[index] ?? context, context, ...access }, 'istio-system')),
  );
}

/** Absolute, because nobody knows yet in which folder the mesh file will be. */
function kubeconfigOf(system: System, args: ParsedArguments): { kubeconfig?: string } {
  const kubeconfig = args.option('kubeconfig');
  return kubeconfig === undefined ? {} : { kubeconfig: resolve(system.cwd, kubeconfig) };
}

/** What was found in a cluster, one line each, as comments beside its entry. */
function comments(facts: ClusterFacts | undefined): string[] {
  if (facts === undefined) return [];
  return [
    facts.kubernetes === undefined
      ? ''
      : `Kubernetes ${facts.kubernetes.value}${facts.platform === undefined ? '' : ` on ${facts.platform.value}`}, ${facts.nodes.length} nodes`,
    facts.cni === undefined ? '' : describeCni(facts.cni.value),
    facts.podCIDRs === undefined
      ? 'pod CIDRs not found: declare podCIDRs'
      : `pods ${facts.podCIDRs.value.join(', ')} (${facts.podCIDRs.source})`,
    facts.serviceCIDRs === undefined
      ? 'service CIDRs not found: declare serviceCIDRs'
      : `services ${facts.serviceCIDRs.value.join(', ')} (${facts.serviceCIDRs.source})`,
    facts.loadBalancer === undefined ? '' : `load balancer: ${facts.loadBalancer.value}`,
  ].filter((line) => line !== '');
}
