// The client of one cluster: raw JSON of the API server. It knows no kind of object and decides nothing.
import { bufferFromFileOrString } from '@kubernetes/client-node';
import { jsonOf, objectOf } from './answers.ts';
import { type Api, ask, createApi } from './api.ts';
import { type KubeconfigSource, loadContext } from './kubeconfig.ts';
import { collectAll, tableRows } from './listing.ts';
import { type ApiRequest, createTransport, defaultLimits, type Limits } from './transport.ts';
import type { ApplyOptions, Clock, ClusterAccess, ClusterClient } from './types.ts';

const json = 'application/json';
const applyType = 'application/apply-patch+yaml';

export interface ConnectOptions extends KubeconfigSource {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly limits?: Partial<Limits>;
}

/**
 * Makes the client of one context. Reads the kubeconfig, sends nothing yet.
 * @throws IsthmusError (usage) for a kubeconfig that is missing, unsafe or lacks the context
 */
export async function connectCluster(access: ClusterAccess, options: ConnectOptions): Promise<ClusterClient> {
  const where = `cluster ${access.cluster}`;
  const context = await loadContext(access, options);
  const load = () => loadContext(access, options);
  const limits = { ...defaultLimits, ...options.limits };
  const transport = createTransport({ load, where, clock: options.clock, limits, signal: options.signal });
  const api = createApi(transport, where);
  const authority = context.config.getCurrentCluster();
  return {
    cluster: access.cluster,
    server: context.server.href.replace(/\/$/, ''),
    get certificateAuthority() {
      // The types say string or undefined only, the client accepts and returns null as well.
      return bufferFromFileOrString(authority?.caFile, authority?.caData)?.toString('utf8');
    },
    ...readsOf(api),
    ...writesOf(api),
    close: () => transport.close(),
  };
}

function readsOf(api: Api): Pick<ClusterClient, 'get' | 'list' | 'collect' | 'table' | 'podLog'> {
  return {
    get: async (path) => {
      const request = { method: 'GET', path, accept: json } as const;
      const answer = await ask(api, request, [404]);
      return answer.status === 404 ? undefined : jsonOf(answer, api.question(request));
    },
    list: (path, options = {}) => collectAll(api, path, { ...options, take: (object) => object }),
    collect: (path, take, options = {}) => collectAll(api, path, { ...options, take }),
    table: (path, columns, options = {}) => tableRows(api, path, { ...options, columns }),
    podLog: async (namespace, pod, { tailLines, since }) => {
      const range = since === undefined ? '' : `&sinceTime=${encodeURIComponent(since.toISOString())}`;
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log?tailLines=${tailLines}${range}`;
      return (await ask(api, { method: 'GET', path, accept: '*/*' })).text;
    },
  };
}

function writesOf(api: Api): Pick<ClusterClient, 'apply' | 'create' | 'replace' | 'delete'> {
  const write = async (request: ApiRequest, absent: readonly number[]) => {
    const answer = await ask(api, request, absent);
    return absent.includes(answer.status) ? undefined : objectOf(answer, api.question(request));
  };
  return {
    apply: async (collection, object, options) => {
      const path = `${collection}/${encodeURIComponent(object.metadata.name)}?${applyQuery(options)}`;
      const request = { method: 'PATCH', path, accept: json, body: JSON.stringify(object), contentType: applyType } as const;
      return objectOf(await ask(api, request), api.question(request));
    },
    create: (collection, object, options) => {
      const path = options?.dryRun === true ? `${collection}?dryRun=All` : collection;
      return write({ method: 'POST', path, accept: json, body: JSON.stringify(object) }, [409]);
    },
    replace: (path, object) => write({ method: 'PUT', path, accept: json, body: JSON.stringify(object) }, [409]),
    delete: async (path, options = {}) => {
      const body = JSON.stringify({
        kind: 'DeleteOptions',
        apiVersion: 'v1',
        propagationPolicy: options.propagation ?? 'Background',
        ...(options.uid === undefined ? {} : { preconditions: { uid: options.uid } }),
      });
      const gone = options.uid === undefined ? [404] : [404, 409];
      return !gone.includes((await ask(api, { method: 'DELETE', path, accept: json, body }, gone)).status);
    },
  };
}

function applyQuery({ fieldManager, force, dryRun }: ApplyOptions): string {
  const query = new URLSearchParams({ fieldManager, force: String(force ?? false) });
  if (dryRun === true) query.set('dryRun', 'All');
  return query.toString();
}
