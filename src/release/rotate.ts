// Rotates the tokens by which primaries read remotes: a new one, handed to every istiod, and only then is the old one revoked.
import { failure, usageError } from '../base/errors.ts';
import type { ClusterClient } from '../system/types.ts';
import { lossOf, readyIstiods, whyUnread, writtenAt } from './istiod-reads.ts';
import { type ClusterRun, openClusters } from './open-clusters.ts';
import { checkPermissions, neededRules } from './preflight.ts';
import { applyToken, isAccepted, newTokenName, type ReaderToken, readTokens, revokeToken, unfinished } from './reader-token.ts';
import { applyRemoteSecret, buildRemoteSecret, hasRemoteSecret, type IndexedRemoteSecret, secretPath } from './remote-secret.ts';
import type { StepOutcome } from './run.ts';
import type { Session } from './session.ts';
import type { GeneratedMesh, InstallOptions, ReleaseDeps, ReleaseResult } from './types.ts';

const pollMs = 2_000;
/** API servers keep what they know of a token for ten seconds; twice that, and some. Milliseconds. */
const refusedMs = 60_000;

export interface RotateOptions extends Pick<InstallOptions, 'timeoutMs' | 'onProgress'> {
  /** Names of remotes; all of them when absent. */
  readonly clusters?: readonly string[];
  /** Go on although an istiod of this version loses endpoints of the remote meanwhile. */
  readonly acceptLoss?: boolean;
}

/** One remote and every remote secret that holds its token. */
interface Rotation {
  readonly remote: string;
  readonly secrets: readonly IndexedRemoteSecret[];
  /** Any of them: they all name the same account. */
  readonly account: IndexedRemoteSecret;
}

/**
 * Rotates the token of each remote, one after the other. It may die at any point: both tokens are valid until every istiod reads with
 * the new one, and the next run goes on where this one stopped.
 * @returns one result per step; never throws for a cluster
 * @throws IsthmusError (usage) for a cluster that is no remote of the mesh
 */
export async function rotateSecrets(
  generated: GeneratedMesh,
  deps: ReleaseDeps,
  options: RotateOptions = {},
): Promise<readonly ReleaseResult[]> {
  const rotations = chooseRotations(generated, options.clusters);
  const clusters = rotations.flatMap(({ remote, secrets }) => [remote, ...secrets.map(({ primary }) => primary)]);
  const prepare = (session: Session) => checkPermissions(session, secretRules(generated));
  const run = await openClusters({ generated, deps, options, clusters, prepare });
  try {
    await run.gate.during(rotateAll(run, rotations, options));
    return run.steps.results;
  } finally {
    for (const { client } of run.sessions.values()) client.close();
  }
}

function chooseRotations({ index, folder }: GeneratedMesh, names: readonly string[] | undefined): readonly Rotation[] {
  const remotes = [...new Set(index.remoteSecrets.map(({ remote }) => remote))];
  const unknown = (names ?? []).find((name) => !remotes.includes(name));
  if (unknown !== undefined)
    throw usageError(`no primary reads a cluster ${unknown}`, {
      where: folder,
      hint: `There ${remotes.length === 1 ? 'is' : 'are'} ${remotes.join(', ')}.`,
    });
  return remotes
    .filter((remote) => names?.includes(remote) ?? true)
    .flatMap((remote) => {
      const secrets = index.remoteSecrets.filter((secret) => secret.remote === remote);
      return secrets[0] === undefined ? [] : [{ remote, secrets, account: secrets[0] }];
    });
}

function secretRules({ index }: GeneratedMesh) {
  const rules = neededRules([{ chart: 'remote secret', namespace: index.istio.namespace }], index.routesNamespace);
  return rules.filter(({ resource }) => resource !== 'namespaces');
}

async function rotateAll(run: ClusterRun, rotations: readonly Rotation[], options: RotateOptions): Promise<void> {
  for (const rotation of rotations) await rotateOne(run, rotation, options);
}

async function rotateOne(run: ClusterRun, rotation: Rotation, options: RotateOptions): Promise<void> {
  const { remote, secrets, account } = rotation;
  const needs = [remote, ...secrets.map(({ primary }) => primary)];
  await run.steps.run({ cluster: remote, step: `token of ${account.serviceAccount}`, needs }, () => begin(run, rotation, options));
  await Promise.all(
    secrets.map((secret) =>
      run.steps.run({ cluster: secret.primary, step: `remote secret ${secret.name}`, needs }, (say) => handOver(run, secret, say)),
    ),
  );
  await run.steps.run({ cluster: remote, step: 'old token', needs }, (say) => revokeOthers(run, account, say));
}

/** Asks for a new token, unless a run that died has done so: then the cluster itself tells which one it is. */
async function begin(run: ClusterRun, rotation: Rotation, options: RotateOptions): Promise<StepOutcome> {
  const { remote, account } = rotation;
  await checkInstalled(run, rotation);
  if (options.acceptLoss !== true) await refuseLoss(run, rotation);
  const client = clientOf(run, remote);
  const begun = unfinished(await readTokens(client, account));
  if (begun !== undefined) return { outcome: 'unchanged', message: `goes on with ${begun.name}, which another run began with` };
  const name = newTokenName(account, run.deps.clock.now());
  await applyToken(run.gate.guard(client), account, { name, finished: false });
  return { outcome: 'installed', message: `Secret ${account.namespace}/${name}` };
}

async function newToken(run: ClusterRun, account: IndexedRemoteSecret): Promise<ReaderToken> {
  const token = unfinished(await readTokens(clientOf(run, account.remote), account));
  if (token !== undefined) return token;
  throw failure('the new token is gone', { where: account.remote, hint: 'Somebody deleted its Secret. Run this again.' });
}

function clientOf(run: ClusterRun, cluster: string): ClusterClient {
  const session = run.sessions.get(cluster);
  if (session === undefined) throw failure('cannot be reached', { where: cluster });
  return session.client;
}

async function checkInstalled(run: ClusterRun, { remote, secrets, account }: Rotation): Promise<void> {
  const hint = 'Run `isthmus install` first.';
  const path = `/api/v1/namespaces/${account.namespace}/serviceaccounts/${account.serviceAccount}`;
  if ((await clientOf(run, remote).get(path)) === undefined)
    throw failure(`ServiceAccount ${account.namespace}/${account.serviceAccount} does not exist`, { where: remote, hint });
  for (const { primary, namespace, name } of secrets) {
    const found = await clientOf(run, primary).get(secretPath(namespace, name));
    if (found === undefined) throw failure(`Secret ${namespace}/${name} does not exist in ${primary}`, { where: remote, hint });
  }
}

async function refuseLoss(run: ClusterRun, { remote, secrets }: Rotation): Promise<void> {
  for (const { primary, namespace } of secrets) {
    const istiods = await readyIstiods(clientOf(run, primary), namespace);
    for (const { version = run.generated.index.istio.version } of istiods) {
      const loss = lossOf(version);
      if (loss === undefined) continue;
      throw failure(`istiod ${version} in ${primary} loses the endpoints of ${remote} ${loss} when its remote secret changes`, {
        where: remote,
        hint: 'Istio 1.30.4 and later keep them; upgrade first. --accept-loss rotates all the same; nothing was written.',
      });
    }
  }
}

/** Writes the new token into a primary, and returns when every istiod there reads the remote with it. */
async function handOver(run: ClusterRun, secret: IndexedRemoteSecret, say: (text: string) => void): Promise<StepOutcome> {
  const { clock, signal } = run.deps;
  const primary = clientOf(run, secret.primary);
  const { name: tokenSecret } = await newToken(run, secret);
  const options = { clock, signal, timeoutMs: run.timeoutMs };
  const built = await buildRemoteSecret({ ...secret, tokenSecret }, clientOf(run, secret.remote), options);
  const present = await hasRemoteSecret(primary, built);
  if (!present) await applyRemoteSecret(run.gate.guard(primary), built, false);
  await waitUntilRead(run, secret, say);
  return { outcome: present ? 'unchanged' : 'upgraded', message: `every istiod of ${secret.primary} reads ${secret.remote} with it` };
}

async function waitUntilRead(run: ClusterRun, secret: IndexedRemoteSecret, say: (text: string) => void): Promise<void> {
  const { clock, signal } = run.deps;
  const end = clock.now().getTime() + run.timeoutMs;
  for (;;) {
    const missing = await whatIsMissing(run, secret);
    if (missing === undefined) return;
    if (signal.aborted || clock.now().getTime() >= end) {
      throw failure(`${missing}; both tokens stay valid`, {
        where: secret.primary,
        hint: `Look at its log, and at \`istioctl remote-clusters\`. When it does not take the secret, or writes no log: restart istiod in ${secret.primary} and run this again.`,
      });
    }
    say(`waits: ${missing}`);
    await clock.sleep(pollMs, signal);
  }
}

/** The sign that is still missing, in words. The API server of the remote must have seen the token, and each istiod must tell. */
async function whatIsMissing(run: ClusterRun, secret: IndexedRemoteSecret): Promise<string | undefined> {
  const { namespace, remote, primary } = secret;
  const client = clientOf(run, primary);
  const since = await writtenAt(client, secret);
  if (since === undefined) return `it is not known when Secret ${namespace}/${secret.name} was written`;
  const istiods = await readyIstiods(client, namespace);
  if (istiods.length === 0) return `no istiod is ready in ${primary}`;
  const reasons = await Promise.all(istiods.map((istiod) => whyUnread(client, istiod, { namespace, remote, since })));
  const unread = reasons.find((reason) => reason !== undefined);
  if (unread !== undefined) return unread;
  return (await isSeen(run, secret)) ? undefined : `the API server of ${remote} has not seen the new token yet`;
}

/** Kubernetes before 1.27 keeps no record of tokens; then the istiods' own word is all there is. */
async function isSeen(run: ClusterRun, account: IndexedRemoteSecret): Promise<boolean> {
  if ((await newToken(run, account)).used) return true;
  const record = '/api/v1/namespaces/kube-system/configmaps/kube-apiserver-legacy-service-account-token-tracking';
  return (await clientOf(run, account.remote).get(record)) === undefined;
}

async function revokeOthers(run: ClusterRun, account: IndexedRemoteSecret, say: (text: string) => void): Promise<StepOutcome> {
  const client = clientOf(run, account.remote);
  const guarded = run.gate.guard(client);
  const { name } = await newToken(run, account);
  const old = (await readTokens(client, account)).filter((each) => each.name !== name && (each.rotated || each.token !== undefined));
  for (const token of old) await revokeToken(guarded, account, token);
  await applyToken(guarded, account, { name, finished: true });
  if (old.length === 0) return { outcome: 'absent' };
  say('waits until it is refused');
  return { outcome: 'removed', ...(await refusal(run, client, old)) };
}

/** Asks the API server itself, as long as it may still remember the token. */
async function refusal(run: ClusterRun, client: ClusterClient, old: readonly ReaderToken[]): Promise<{ readonly message: string }> {
  const { clock, signal } = run.deps;
  const end = clock.now().getTime() + refusedMs;
  for (;;) {
    const answers = await Promise.all(old.map(({ token }) => (token === undefined ? false : isAccepted(client, token))));
    if (answers.every((accepted) => accepted === false)) return { message: 'the API server refuses it' };
    if (answers.includes(undefined))
      return { message: 'it is revoked; this user may not ask the API server whether it is refused already' };
    if (signal.aborted || clock.now().getTime() >= end)
      throw failure('the API server still takes the old token', {
        where: client.cluster,
        hint: 'Its Secret is revoked. Does something else issue tokens for this account?',
      });
    await clock.sleep(pollMs, signal);
  }
}
