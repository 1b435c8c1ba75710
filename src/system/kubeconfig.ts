// Finds one context in the user's kubeconfig files and refuses what is missing, ambiguous or unsafe in it.
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import * as z from 'zod';
import { failure, messageOf, usageError } from '../base/errors.ts';
import { escapeText } from '../base/names.ts';
import { parseYaml } from '../base/yaml.ts';
import type { ClusterAccess, Files } from './types.ts';

const maxKubeconfigBytes = 4 * 1024 * 1024;

/** The parts of a kubeconfig that are checked or mended here; the Kubernetes client reads the rest. */
const Kubeconfig = z.looseObject({
  contexts: z.array(z.looseObject({ name: z.string() })).nullish(),
  users: z
    .array(
      z.looseObject({
        name: z.string(),
        user: z.looseObject({ tokenFile: z.string().optional(), exec: z.looseObject({ command: z.string() }).nullish() }).nullish(),
      }),
    )
    .nullish(),
});

export interface KubeconfigSource {
  readonly files: Pick<Files, 'read' | 'exists'>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One context, alone: what the Kubernetes client needs to authenticate. */
export interface LoadedContext {
  readonly config: KubeConfig;
  readonly server: URL;
  readonly proxyUrl: string | undefined;
}

interface LoadedFile {
  readonly path: string;
  readonly config: KubeConfig;
}

/**
 * Reads the context from `access.kubeconfig`, else from the files of KUBECONFIG, else from ~/.kube/config; the first file that has
 * a context, cluster or user of a name wins, as with kubectl. There is no fallback to the pod's own account or to localhost:8080.
 * @throws IsthmusError (usage) when the context is missing (with the names there are), or when it is not safe to use
 */
export async function loadContext(access: ClusterAccess, source: KubeconfigSource): Promise<LoadedContext> {
  const paths = await kubeconfigPaths(access, source);
  const files: LoadedFile[] = [];
  for (const path of paths) files.push(await loadFile(path, source.files));
  const config = pickContext(access.context, files);
  return { config, ...checkCluster(config, access.context) };
}

async function kubeconfigPaths(access: ClusterAccess, { files, env }: KubeconfigSource): Promise<readonly string[]> {
  if (access.kubeconfig !== undefined) return [access.kubeconfig];
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  const home = env['HOME'] ?? env['USERPROFILE'];
  const candidates = listed.length > 0 || home === undefined ? listed : [join(home, '.kube', 'config')];
  const present: string[] = [];
  for (const path of candidates) if (await files.exists(path)) present.push(path);
  if (present.length > 0) return present;
  throw usageError('there is no kubeconfig', {
    where: access.cluster,
    hint: 'Set KUBECONFIG, or give the cluster a `kubeconfig` in mesh.yaml.',
  });
}

async function loadFile(path: string, files: Pick<Files, 'read'>): Promise<LoadedFile> {
  const { value } = parseYaml(await files.read(path, maxKubeconfigBytes), path);
  const parsed = Kubeconfig.safeParse(value);
  if (!parsed.success) throw usageError(`is not a kubeconfig: ${parsed.error.issues[0]?.path.join('.') ?? ''} is wrong`, { where: path });
  const config = new KubeConfig();
  try {
    config.loadFromString(JSON.stringify(withAbsolutePaths(parsed.data, dirname(path))));
  } catch (error) {
    throw usageError(`is not a kubeconfig: ${messageOf(error)}`, { where: path });
  }
  config.makePathsAbsolute(dirname(path));
  return { path, config };
}

/** The client knows `token-file` where kubectl knows `tokenFile`, and does not resolve a relative exec command. */
function withAbsolutePaths(config: z.infer<typeof Kubeconfig>, folder: string): unknown {
  const absolute = (path: string) => (isAbsolute(path) ? path : join(folder, path));
  const users = (config.users ?? []).map(({ name, user }) => {
    const tokenFile = user?.tokenFile;
    const exec = user?.exec;
    return {
      name,
      user: {
        ...user,
        ...(tokenFile === undefined ? {} : { 'auth-provider': { name: 'tokenFile', config: { tokenFile: absolute(tokenFile) } } }),
        ...(exec?.command.includes('/') ? { exec: { ...exec, command: absolute(exec.command) } } : {}),
      },
    };
  });
  return { ...config, users };
}

function pickContext(name: string, files: readonly LoadedFile[]): KubeConfig {
  const where = files.map(({ path }) => path).join(delimiter);
  const context = first(files, (config) => config.getContexts().find((entry) => entry.name === name));
  if (context === undefined) throw usageError(`has no context ${JSON.stringify(name)}`, { where, hint: contextsHint(files) });
  const cluster = first(files, (config) => config.getClusters().find((entry) => entry.name === context.cluster));
  if (cluster === undefined) throw usageError(`context ${name} names cluster ${context.cluster}, which is not there`, { where });
  const user = first(files, (config) => config.getUsers().find((entry) => entry.name === context.user));
  if (user === undefined) throw usageError(`context ${name} names user ${context.user || '""'}, who is not there`, { where });
  const config = new KubeConfig();
  config.loadFromOptions({ clusters: [cluster], users: [user], contexts: [context], currentContext: name });
  return config;
}

function first<T>(files: readonly LoadedFile[], find: (config: KubeConfig) => T | undefined): T | undefined {
  for (const { config } of files) {
    const found = find(config);
    if (found !== undefined) return found;
  }
  return undefined;
}

function contextsHint(files: readonly LoadedFile[]): string {
  const names = files.flatMap(({ config }) => config.getContexts().map((context) => escapeText(context.name)));
  return names.length === 0 ? 'It has no context at all.' : `Contexts there: ${[...new Set(names)].sort().join(', ')}`;
}

function checkCluster(config: KubeConfig, context: string): { readonly server: URL; readonly proxyUrl: string | undefined } {
  const cluster = config.getCurrentCluster();
  const where = `context ${context}`;
  const server = cluster !== null && URL.canParse(cluster.server) ? new URL(cluster.server) : null;
  if (cluster === null || server === null) throw usageError('has no usable server URL', { where });
  if (server.protocol !== 'https:') throw usageError(`its server ${server.protocol}//${server.host} is not https`, { where });
  if (server.username !== '' || server.password !== '' || server.search !== '' || server.hash !== '')
    throw usageError('its server URL carries a user, a query or a fragment', { where });
  if (cluster.skipTLSVerify)
    throw failure('it says insecure-skip-tls-verify, so anyone between could read the tokens', {
      where,
      hint: 'Give the kubeconfig the certificate-authority of the API server instead.',
    });
  return { server, proxyUrl: cluster.proxyUrl };
}
