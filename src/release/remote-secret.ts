// The Secret in a primary that lets its istiod read a remote. Its token goes from API server to API server and nowhere else.
import * as z from 'zod';
import { failure } from '../base/errors.ts';
import { fieldManager, istioNames, ownLabels, remoteSecretRelease } from '../base/names.ts';
import type { KubeObject } from '../base/objects.ts';
import { toYaml } from '../base/yaml.ts';
import type { ReleaseIndex } from '../render/types.ts';
import type { Clock, ClusterClient, ClusterReader } from '../system/types.ts';

export type IndexedRemoteSecret = ReleaseIndex['remoteSecrets'][number];

const TokenSecret = z.object({ data: z.object({ token: z.string().min(1), 'ca.crt': z.string().min(1) }) });
const StoredSecret = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()).default({}), annotations: z.record(z.string(), z.string()).default({}) }),
  data: z.record(z.string(), z.string()).default({}),
});

const pollMs = 1_000;

export interface TokenOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/**
 * Builds the remote secret as `istioctl create-remote-secret` does: one data key named after the cluster, holding a kubeconfig of
 * one cluster, context and user, all of that name. Waits until the token controller of the remote has filled the token.
 * @throws IsthmusError when no token comes, or when the URL of the API server cannot be used by another cluster
 */
export async function buildRemoteSecret(secret: IndexedRemoteSecret, remote: ClusterReader, options: TokenOptions): Promise<KubeObject> {
  const server = usableServer(secret, remote);
  const { token, 'ca.crt': authority } = await waitForToken(secret, remote, options);
  const name = secret.remote;
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ cluster: { 'certificate-authority-data': authority, server }, name }],
    contexts: [{ context: { cluster: name, user: name }, name }],
    'current-context': name,
    preferences: {},
    users: [{ name, user: { token: Buffer.from(token, 'base64').toString('utf8') } }],
  };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: secret.name,
      namespace: secret.namespace,
      labels: { ...ownLabels, [istioNames.multiClusterLabel]: 'true' },
      annotations: { [istioNames.clusterAnnotation]: name },
    },
    data: { [name]: Buffer.from(toYaml(kubeconfig)).toString('base64') },
  };
}

/** Whether the primary holds this very secret already. */
export async function hasRemoteSecret(primary: Pick<ClusterReader, 'get'>, wanted: KubeObject): Promise<boolean> {
  const found = await primary.get(secretPath(wanted.metadata.namespace ?? '', wanted.metadata.name));
  const stored = StoredSecret.safeParse(found);
  if (!stored.success) return false;
  const expected = StoredSecret.parse(wanted);
  return (
    includes(stored.data.metadata.labels, expected.metadata.labels) &&
    includes(stored.data.metadata.annotations, expected.metadata.annotations) &&
    includes(stored.data.data, expected.data) &&
    Object.keys(stored.data.data).length === Object.keys(expected.data).length
  );
}

/**
 * Writes the remote secret into the primary. A secret of that name that someone else made is not overwritten unless forced; that of
 * install.sh of a generated folder is taken over, because it is for the same remote.
 */
export async function applyRemoteSecret(primary: Pick<ClusterClient, 'apply' | 'get'>, secret: KubeObject, force: boolean): Promise<void> {
  const { namespace = '' } = secret.metadata;
  const takeOver = force || (await isOfScript(primary, secret));
  await primary.apply(`/api/v1/namespaces/${namespace}/secrets`, secret, { fieldManager, force: takeOver });
}

/** Whether the secret that is there was made by install.sh, for the remote that `wanted` is for. */
async function isOfScript(primary: Pick<ClusterReader, 'get'>, wanted: KubeObject): Promise<boolean> {
  const { namespace = '', name, annotations = {} } = wanted.metadata;
  const stored = StoredSecret.safeParse(await primary.get(secretPath(namespace, name)));
  const remote = annotations[istioNames.clusterAnnotation] ?? '';
  return (
    stored.success &&
    includes(stored.data.metadata.annotations, {
      [istioNames.clusterAnnotation]: remote,
      'meta.helm.sh/release-name': remoteSecretRelease(remote),
      'meta.helm.sh/release-namespace': namespace,
    })
  );
}

/** API path of a Secret. */
export function secretPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${namespace}/secrets/${name}`;
}

async function waitForToken(secret: IndexedRemoteSecret, remote: ClusterReader, { clock, signal, timeoutMs }: TokenOptions) {
  const end = clock.now().getTime() + timeoutMs;
  for (;;) {
    const found = TokenSecret.safeParse(await remote.get(secretPath(secret.namespace, secret.tokenSecret)));
    if (found.success) return found.data.data;
    if (signal.aborted || clock.now().getTime() >= end) break;
    await clock.sleep(pollMs, signal);
  }
  throw failure(`Secret ${secret.namespace}/${secret.tokenSecret} has no token`, {
    where: secret.remote,
    hint: `Does ServiceAccount ${secret.serviceAccount} exist, and does the controller manager of the cluster run?`,
  });
}

/** A URL that means "this machine" leads the istiod of the primary to itself. */
function usableServer(secret: IndexedRemoteSecret, remote: ClusterReader): string {
  const server = secret.server ?? remote.server;
  const { hostname } = new URL(server);
  const local = /^(?:localhost|.*\.localhost|127\..*|0\.0\.0\.0|\[::1?\]|kubernetes\.default(?:\..*)?|host\.docker\.internal)$/.test(
    hostname,
  );
  if (!local) return server;
  throw failure(`ISM077: the API server is known as ${server}, which istiod in ${secret.primary} cannot use`, {
    where: secret.remote,
    hint: `Set \`apiServer\` of cluster ${secret.remote} in mesh.yaml to the URL that ${secret.primary} reaches it at, and generate again.`,
  });
}

function includes(actual: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => actual[key] === value);
}
