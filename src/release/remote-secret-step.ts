// The step that joins a remote to its primary: the remote secret, and then the sign that istiod has taken it.
import * as z from 'zod';
import type { Run } from './open-run.ts';
import { type ReaderToken, readTokens, revokeToken, settled, unfinished } from './reader-token.ts';
import { applyRemoteSecret, buildRemoteSecret, hasRemoteSecret, type IndexedRemoteSecret } from './remote-secret.ts';
import type { StepOutcome } from './run.ts';
import type { Session } from './session.ts';

const pollMs = 2_000;
/** Longest wait for istiod to fill in the webhook's CA, in milliseconds. */
const webhookMs = 60_000;

const Webhooks = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }),
  webhooks: z.array(z.object({ clientConfig: z.object({ caBundle: z.string().optional() }) })).default([]),
});

export async function installRemoteSecret(run: Run, secret: IndexedRemoteSecret): Promise<void> {
  const step = { cluster: secret.primary, step: `remote secret ${secret.name}`, needs: [secret.primary, secret.remote] };
  await run.steps.run(step, async (say): Promise<StepOutcome> => {
    const primary = run.sessions.get(secret.primary);
    const remote = run.sessions.get(secret.remote);
    const waiting = run.generated.releases.find(
      ({ cluster, chart, chartPath }) => cluster === secret.remote && chart.startsWith('istio-remote') && chartPath === undefined,
    );
    if (primary === undefined || remote === undefined || waiting !== undefined)
      return { outcome: 'waiting', message: `waits for ${waiting?.name ?? 'the clusters'} in ${secret.remote}` };
    return join(run, { secret, primary, remote }, say);
  });
}

interface Joined {
  readonly secret: IndexedRemoteSecret;
  readonly primary: Session;
  readonly remote: Session;
}

async function join(run: Run, { secret, primary, remote }: Joined, say: (text: string) => void): Promise<StepOutcome> {
  const present = await putSecret(run, { secret, primary, remote });
  const filled = await waitForWebhook(run, { remote, patience: present ? 0 : Math.min(run.timeoutMs, webhookMs) }, say);
  const outcome = present ? 'unchanged' : 'installed';
  if (filled) return { outcome };
  return {
    outcome,
    message: `istiod in ${secret.primary} has not filled in the CA of the injection webhook in ${secret.remote} yet`,
    hint: `Until it has, no pod is injected there. Look at the log of istiod in ${secret.primary}: does it reach ${remote.client.server}?`,
  };
}

/** Writes the secret unless it holds a token that is valid: while a rotation is under way, there are two. */
async function putSecret(run: Run, { secret, primary, remote }: Joined): Promise<boolean> {
  const { clock, signal } = run.deps;
  const tokens = await readTokens(remote.client, secret);
  await revokeRestored(run, { secret, remote, tokens });
  const current = settled(tokens)?.name ?? secret.tokenSecret;
  const build = (tokenSecret: string) =>
    buildRemoteSecret({ ...secret, tokenSecret }, remote.client, { clock, signal, timeoutMs: Math.min(run.timeoutMs, webhookMs) });
  const built = await build(current);
  if (await hasRemoteSecret(primary.client, built)) return true;
  const begun = unfinished(tokens);
  if (begun?.token !== undefined && (await hasRemoteSecret(primary.client, await build(begun.name)))) return true;
  await applyRemoteSecret(run.gate.guard(primary.client), built, run.options.forceConflicts ?? false);
  return false;
}

/** When somebody deleted the chart's Secret after a rotation, helm made it again, and Kubernetes may have given it its old token. */
async function revokeRestored(
  run: Run,
  { secret, remote, tokens }: Pick<Joined, 'secret' | 'remote'> & { readonly tokens: readonly ReaderToken[] },
): Promise<void> {
  const restored = tokens.find(({ rotated, token }) => !rotated && token !== undefined);
  if (restored !== undefined && settled(tokens)?.rotated === true) await revokeToken(run.gate.guard(remote.client), secret, restored);
}

/** True when every webhook of the istio-remote release has a CA, or there is none (Istio 0.8). */
async function waitForWebhook(
  run: Run,
  { remote, patience }: { readonly remote: Session; readonly patience: number },
  say: (text: string) => void,
) {
  const { clock, signal } = run.deps;
  const end = clock.now().getTime() + patience;
  for (;;) {
    if (await isWebhookFilled(remote)) return true;
    if (signal.aborted || clock.now().getTime() >= end) return false;
    say('waits for istiod to fill in the CA of the injection webhook');
    await clock.sleep(pollMs, signal);
  }
}

async function isWebhookFilled({ client }: Session): Promise<boolean> {
  const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
  const configurations = (await client.collect(path, (object) => Webhooks.parse(object))) ?? [];
  const own = configurations.filter(({ metadata }) => metadata.annotations['meta.helm.sh/release-name'] === 'istio-remote');
  return own.every(({ webhooks }) => webhooks.every(({ clientConfig }) => (clientConfig.caBundle ?? '') !== ''));
}
