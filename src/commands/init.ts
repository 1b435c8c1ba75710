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

export const run: Run = async (system, args) => {
  const contexts = args.options('context');
  if (contexts.length === 0)
    throw usageError('no cluster is named', {
      hint: 'Give --context once per cluster, the primary first; `kubectl config get-contexts` lists them.',
    });
  const names = clusterNames(contexts);
  const facts = await readContexts(system, args, contexts, names);
  const text = initialMesh({
    name: args.option('name') ?? 'mesh',
    istioVersion: args.option('istio') ?? facts[0]?.istio?.revisions[0]?.version ?? defaultIstioVersion,
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
