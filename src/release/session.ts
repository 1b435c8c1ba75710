// One cluster during a run: its client, where helm finds it, and that it is the cluster the plan was made for.
import { resolve } from 'node:path';
import { failure, usageError } from '../base/errors.ts';
import type { KubeObject } from '../base/objects.ts';
import type { ReleaseIndex } from '../render/types.ts';
import type { ClusterClient } from '../system/types.ts';
import type { HelmTarget } from './helm-args.ts';
import { createResources, type Resources } from './resources.ts';
import type { ReleaseDeps } from './types.ts';

export type IndexedCluster = ReleaseIndex['clusters'][number];

export interface Session {
  readonly spec: IndexedCluster;
  readonly client: ClusterClient;
  readonly resources: Resources;
  /** Where helm works for a release in `namespace`. */
  target(namespace: string): HelmTarget;
}

/**
 * Connects to the cluster of the index and compares its identity.
 * @param folder absolute path of out/, where a relative kubeconfig path starts
 * @throws IsthmusError when there is no context, the cluster cannot be reached, or it is not the one that was planned for
 */
export async function openSession(spec: IndexedCluster, folder: string, deps: ReleaseDeps): Promise<Session> {
  const context = spec.context;
  if (context === undefined)
    throw usageError('has no context, so nothing can be installed in it', {
      where: spec.name,
      hint: 'Give the cluster a context in mesh.yaml and generate again, or run install.sh where the cluster can be reached.',
    });
  const kubeconfig = spec.kubeconfig === undefined ? undefined : resolve(folder, spec.kubeconfig);
  const client = await deps.connect({ cluster: spec.name, context, ...(kubeconfig === undefined ? {} : { kubeconfig }) });
  try {
    await checkIdentity(spec, client);
  } catch (error) {
    client.close();
    throw error;
  }
  const explicit = kubeconfig ?? defaultKubeconfig(deps.env);
  return { spec, client, resources: createResources(client), target: (namespace) => ({ context, kubeconfig: explicit, namespace }) };
}

async function checkIdentity(spec: IndexedCluster, client: ClusterClient): Promise<void> {
  if (spec.uid === undefined) return;
  const namespace = (await client.get('/api/v1/namespaces/kube-system')) as KubeObject | undefined;
  if (namespace?.metadata.uid === spec.uid) return;
  throw failure(`context ${spec.context} leads to another cluster than the one that was planned for`, {
    where: spec.name,
    hint: `kube-system has UID ${namespace?.metadata.uid ?? 'none'}, the plan was made for ${spec.uid}. Correct the context, or inspect and generate again.`,
  });
}

/** One file can be named on helm's command line; a list of files in KUBECONFIG is left to helm to read. */
function defaultKubeconfig(env: ReleaseDeps['env']): string | undefined {
  const listed = (env['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '');
  if (listed.length > 0) return listed.length === 1 ? listed[0] : undefined;
  return env['HOME'] === undefined ? undefined : resolve(env['HOME'], '.kube', 'config');
}
