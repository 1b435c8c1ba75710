// Tokens by which primaries read a remote: the one that the chart asks for, and those that took its place by rotation.
import * as z from 'zod';
import { statusOf } from '../base/errors.ts';
import { fieldManager, ownLabels } from '../base/names.ts';
import type { KubeObject } from '../base/objects.ts';
import type { ClusterClient, ClusterReader } from '../system/types.ts';
import { type IndexedRemoteSecret, secretPath } from './remote-secret.ts';

/** Carries the name of the ServiceAccount, on the Secrets that isthmus makes for it. */
const accountLabel = 'isthmus/token-of';
/** Marks a token whose predecessors are all revoked. */
const finishedAnnotation = 'isthmus/rotated';
/** Set by API servers since Kubernetes 1.27 on the first day a token is used, and daily from then on. */
const usedLabel = 'kubernetes.io/legacy-token-last-used';
/** Stands in the place of a revoked token. */
const revokedToken = 'revoked';
const secretType = 'kubernetes.io/service-account-token';

const TokenSecret = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string().optional(),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  data: z.object({ token: z.string().optional() }).default({}),
});

const Review = z.object({ status: z.object({ authenticated: z.boolean().default(false) }) });

export interface ReaderToken {
  readonly name: string;
  readonly uid: string | undefined;
  /** Whether isthmus made the Secret; else it is the chart's. */
  readonly rotated: boolean;
  /** Whether everything before it is revoked. */
  readonly finished: boolean;
  /** Whether an API server saw it in use. */
  readonly used: boolean;
  /** Undefined while Kubernetes has not filled it in, and once it is revoked. Never shown to anyone. */
  readonly token: string | undefined;
}

type Account = Pick<IndexedRemoteSecret, 'namespace' | 'serviceAccount' | 'tokenSecret'>;

/** The tokens of the account that are the mesh's business: those of isthmus by name, which is by age, then the chart's. */
export async function readTokens(client: Pick<ClusterReader, 'get' | 'list'>, account: Account): Promise<readonly ReaderToken[]> {
  const rotated = await listRotated(client, account);
  const chart = await client.get(secretPath(account.namespace, account.tokenSecret));
  return [...rotated, ...(chart === undefined ? [] : [readToken(chart, false)])];
}

/** The Secrets that isthmus made for the account. */
export async function listRotated(
  client: Pick<ClusterReader, 'list'>,
  { namespace, serviceAccount }: Pick<Account, 'namespace' | 'serviceAccount'>,
): Promise<readonly ReaderToken[]> {
  const labelSelector = Object.entries({ ...ownLabels, [accountLabel]: serviceAccount })
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const found = (await client.list(`/api/v1/namespaces/${namespace}/secrets`, { labelSelector })) ?? [];
  return found.map((object) => readToken(object, true)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The token that a rotation which did not end was about to put in place. */
export function unfinished(tokens: readonly ReaderToken[]): ReaderToken | undefined {
  return tokens.findLast(({ rotated, finished }) => rotated && !finished);
}

/** The token in use when no rotation is under way: the newest finished one, else the chart's. */
export function settled(tokens: readonly ReaderToken[]): ReaderToken | undefined {
  return tokens.findLast(({ rotated, finished }) => rotated && finished) ?? tokens.find(({ rotated }) => !rotated);
}

/**
 * Asks for a token, or marks one as finished. Names are never used twice: signed with RSA, the token of a Secret that is made again
 * under its old name is the old token, byte for byte, and valid again.
 */
export async function applyToken(client: Pick<ClusterClient, 'apply'>, account: Account, token: Pick<ReaderToken, 'name' | 'finished'>) {
  const { namespace, serviceAccount } = account;
  const annotations = { 'kubernetes.io/service-account.name': serviceAccount, ...(token.finished ? { [finishedAnnotation]: 'true' } : {}) };
  const metadata = { name: token.name, namespace, labels: { ...ownLabels, [accountLabel]: serviceAccount }, annotations };
  await client.apply(collectionOf(account), { apiVersion: 'v1', kind: 'Secret', type: secretType, metadata }, { fieldManager });
}

/** `istio-reader-service-account-token-20261122-230501` */
export function newTokenName({ serviceAccount }: Account, now: Date): string {
  const [day = '', time = ''] = now.toISOString().replaceAll(/[-:]/g, '').split(/[T.]/);
  return `${serviceAccount}-token-${day}-${time}`;
}

/**
 * Makes API servers refuse the token. A Secret of ours is deleted. That of the chart stays, or the next helm upgrade would bring it
 * and its token back: its contents are overwritten, which helm does not look at and Kubernetes does not mend.
 */
export async function revokeToken(client: Pick<ClusterClient, 'apply' | 'delete'>, account: Account, token: ReaderToken): Promise<void> {
  const { namespace } = account;
  if (token.rotated) {
    await client.delete(secretPath(namespace, token.name), token.uid === undefined ? {} : { uid: token.uid });
    return;
  }
  // With the UID a Secret that was deleted meanwhile is not made again.
  const metadata = { name: token.name, namespace, ...(token.uid === undefined ? {} : { uid: token.uid }) };
  const data = { token: Buffer.from(revokedToken).toString('base64') };
  const object: KubeObject = { apiVersion: 'v1', kind: 'Secret', type: secretType, metadata, data };
  await client.apply(collectionOf(account), object, { fieldManager, force: true });
}

/** Whether the API server takes the token; undefined when this user may not ask. */
export async function isAccepted(client: Pick<ClusterClient, 'create'>, token: string): Promise<boolean | undefined> {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: { name: '' }, spec: { token } };
  try {
    const answer = Review.safeParse(await client.create('/apis/authentication.k8s.io/v1/tokenreviews', review));
    return answer.success ? answer.data.status.authenticated : undefined;
  } catch (error) {
    if (statusOf(error) === 403 || statusOf(error) === 404) return undefined;
    throw error;
  }
}

function readToken(object: unknown, rotated: boolean): ReaderToken {
  const { metadata, data } = TokenSecret.parse(object);
  const token = Buffer.from(data.token ?? '', 'base64').toString('utf8');
  return {
    name: metadata.name,
    uid: metadata.uid,
    rotated,
    finished: metadata.annotations[finishedAnnotation] === 'true',
    used: metadata.labels[usedLabel] !== undefined,
    token: token === '' || token === revokedToken ? undefined : token,
  };
}

function collectionOf({ namespace }: Account): string {
  return `/api/v1/namespaces/${namespace}/secrets`;
}
