// The Secret cacerts of a primary: what its istiod signs with. It decides whom the mesh trusts, so it is never replaced by another root.
import { resolve } from 'node:path';
import * as z from 'zod';
import { rootFingerprint, shortFingerprint } from '../base/certificates.ts';
import { failure } from '../base/errors.ts';
import { fieldManager, istioNames, ownLabels, signerSecret } from '../base/names.ts';
import type { KubeObject } from '../base/objects.ts';
import type { ClusterReader } from '../system/types.ts';
import { refuseInside } from '../trust/place.ts';
import { readSigner } from '../trust/signer.ts';
import { type Signer, signerFiles } from '../trust/types.ts';
import type { Run } from './open-run.ts';
import { secretPath } from './remote-secret.ts';
import type { StepOutcome } from './run.ts';
import type { IndexedCluster, Session } from './session.ts';

const Stored = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()).default({}), uid: z.string().optional() }),
  data: z.record(z.string(), z.string()).default({}),
});
const RootConfigMap = z.object({ data: z.object({ 'root-cert.pem': z.string() }) });

/** What a run needs to know of the signer of one primary. */
export type IndexedSigner = NonNullable<IndexedCluster['signer']>;

export async function installSigner(run: Run, session: Session): Promise<void> {
  const { signer, name } = session.spec;
  if (signer === undefined) return;
  await run.steps.run({ cluster: name, step: signerStep }, () => putSigner(run, session, signer));
}

export const signerStep = `secret ${signerSecret}`;

/**
 * Removes the Secret when isthmus made it and nothing signs with it any more: an istiod that restarts without it makes a root of its
 * own, which nobody else in the mesh trusts.
 */
export async function removeSigner(run: Run, session: Session): Promise<StepOutcome> {
  const { namespace } = run.generated.index.istio;
  const found = await readStored(session.client, namespace);
  if (found === undefined) return { outcome: 'absent' };
  if (!isOurs(found)) return { outcome: 'absent', message: 'it was not made by isthmus, so it stays' };
  if (await runsIstiod(session.client, namespace))
    return { outcome: 'absent', message: 'it stays, because istiod signs with it; run uninstall again when Istio is gone' };
  const guard = found.metadata.uid === undefined ? {} : { uid: found.metadata.uid };
  await run.gate.guard(session.client).delete(secretPath(namespace, signerSecret), guard);
  return { outcome: 'removed' };
}

/** Whether an istiod of any revision is installed in the namespace. */
export async function runsIstiod(client: Pick<ClusterReader, 'list'>, namespace: string): Promise<boolean> {
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  return ((await client.list(path, { labelSelector: 'app=istiod', metadataOnly: true })) ?? []).length > 0;
}

/**
 * What is wrong with the Secret cacerts of a cluster whose files are not at hand, in words; undefined when istiod can sign with it, by
 * the planned root.
 */
export async function signerProblem(
  client: Pick<ClusterReader, 'get'>,
  namespace: string,
  { root }: Pick<IndexedSigner, 'root'>,
): Promise<string | undefined> {
  const found = await readStored(client, namespace);
  const name = `Secret ${namespace}/${signerSecret}`;
  if (found === undefined) return `${name} is not there, and without it istiod would make a root of its own`;
  const [lacking] = storedFiles.map((files) => files.filter((file) => !(file in found.data))).toSorted((a, b) => a.length - b.length);
  if (lacking !== undefined && lacking.length > 0) return `${name} lacks ${lacking.join(', ')}`;
  const own = storedRoot(found) ?? '';
  return own === root ? undefined : `${name} is of root ${shortFingerprint(own)}, and the mesh was planned with ${shortFingerprint(root)}`;
}

/** The root that workloads of the cluster are given now; undefined while no istiod runs there. */
export async function rootInUse(client: Pick<ClusterReader, 'get' | 'list'>, namespace: string): Promise<string | undefined> {
  if (!(await runsIstiod(client, namespace))) return undefined;
  const published = RootConfigMap.safeParse(await client.get(`/api/v1/namespaces/${namespace}/configmaps/${istioNames.rootCertConfigMap}`));
  return published.success ? rootFingerprint(published.data.data['root-cert.pem']) : undefined;
}

async function putSigner(run: Run, { client, spec }: Session, planned: IndexedSigner): Promise<StepOutcome> {
  if (run.options.signers === 'expect') return { outcome: 'unchanged' };
  const { namespace } = run.generated.index.istio;
  const files = await readPlanned(run, planned);
  const found = await readStored(client, namespace);
  if (found !== undefined) await refuseOtherRoot(spec.name, planned.root, storedRoot(found));
  if (found !== undefined && isSame(found, files)) return { outcome: 'unchanged' };
  if (found !== undefined && !isOurs(found))
    return { outcome: 'unchanged', message: 'it is of someone else, from the same root, and stays' };
  await refuseOtherRoot(spec.name, planned.root, await rootInUse(client, namespace));
  await run.gate.guard(client).apply(`/api/v1/namespaces/${namespace}/secrets`, secretOf(namespace, files), { fieldManager });
  return { outcome: found === undefined ? 'installed' : 'upgraded' };
}

/** The files as they are now; out/ holds nothing of them but where they are and whose root they have. */
async function readPlanned({ generated, deps }: Run, { folder, root }: IndexedSigner): Promise<Signer> {
  const path = resolve(generated.folder, folder);
  refuseInside(path, generated.folder);
  const files = await readSigner(deps.files, path, deps.clock.now());
  if (rootFingerprint(files['root-cert.pem']) === root) return files;
  throw failure('holds another root than the one that was planned for', { where: path, hint: 'Run `isthmus generate` again.' });
}

async function refuseOtherRoot(cluster: string, planned: string, found: string | undefined): Promise<void> {
  if (found === undefined || found === planned) return;
  throw failure(`ISM074: the root in use is ${shortFingerprint(found)}, not ${shortFingerprint(planned)} of \`istio.ca\``, {
    where: cluster,
    hint: 'A running mesh is not given another root: its workloads would refuse each other. Give the other clusters this root, or take Istio out of this cluster first, with its Secret cacerts.',
  });
}

async function readStored(client: Pick<ClusterReader, 'get'>, namespace: string): Promise<z.infer<typeof Stored> | undefined> {
  const found = await client.get(secretPath(namespace, signerSecret));
  return found === undefined ? undefined : Stored.parse(found);
}

/** Istio takes the names of kubernetes.io/tls as well. */
const storedFiles: readonly (readonly string[])[] = [signerFiles, ['ca.crt', 'tls.crt', 'tls.key']];

function storedRoot({ data }: z.infer<typeof Stored>): string | undefined {
  const root = data['root-cert.pem'] ?? data['ca.crt'] ?? '';
  return rootFingerprint(Buffer.from(root, 'base64').toString('utf8')) ?? 'unreadable';
}

function isOurs({ metadata }: z.infer<typeof Stored>): boolean {
  return Object.entries(ownLabels).every(([key, value]) => metadata.labels[key] === value);
}

function isSame({ data }: z.infer<typeof Stored>, files: Signer): boolean {
  return Object.entries(files).every(([file, text]) => data[file] === encoded(text));
}

function secretOf(namespace: string, files: Signer): KubeObject {
  const data = Object.fromEntries(Object.entries(files).map(([file, text]) => [file, encoded(text)]));
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: signerSecret, namespace, labels: ownLabels }, data };
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64');
}
