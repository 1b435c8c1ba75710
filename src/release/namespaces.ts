// Namespaces with their labels and annotations, by server-side apply, and the way back.
import * as z from 'zod';
import { failure } from '../base/errors.ts';
import { fieldManager } from '../base/names.ts';
import type { KubeObject } from '../base/objects.ts';
import type { ClusterClient, ClusterReader } from '../system/types.ts';
import type { IndexedCluster } from './session.ts';

export type PlannedNamespace = IndexedCluster['namespaces'][number];

const collection = '/api/v1/namespaces';
/** Marks a namespace that did not exist before isthmus, so that uninstall may delete it. */
const createdAnnotation = 'isthmus/created';

const ManagedFields = z.array(z.object({ manager: z.string().optional() })).default([]);

/** The namespace as it is; undefined when there is none. */
export async function readNamespace(client: Pick<ClusterReader, 'get'>, name: string): Promise<KubeObject | undefined> {
  return (await client.get(`${collection}/${name}`)) as KubeObject | undefined;
}

/** Whether the namespace exists and carries everything that is planned for it. */
export function isAsPlanned(current: KubeObject | undefined, planned: PlannedNamespace): boolean {
  if (current === undefined || current.metadata.deletionTimestamp !== undefined) return false;
  return includes(current.metadata.labels, planned.labels) && includes(current.metadata.annotations, planned.annotations);
}

/**
 * Creates the namespace, or adds the labels and annotations to it.
 * @throws IsthmusError when it is being deleted, or when someone else set one of them to another value
 */
export async function applyNamespace(
  client: Pick<ClusterClient, 'get' | 'apply' | 'cluster'>,
  planned: PlannedNamespace,
  options: { readonly force?: boolean; readonly dryRun?: boolean } = {},
): Promise<void> {
  const current = await readNamespace(client, planned.name);
  if (current?.metadata.deletionTimestamp !== undefined)
    throw failure(`namespace ${planned.name} is being deleted since ${current.metadata.deletionTimestamp}`, {
      where: client.cluster,
      hint: 'Wait until it is gone. When it stays, see its status for what holds it.',
    });
  const created = current === undefined || isCreatedByUs(current) ? { [createdAnnotation]: 'true' } : {};
  const metadata = { name: planned.name, labels: planned.labels, annotations: { ...planned.annotations, ...created } };
  await client.apply(collection, { apiVersion: 'v1', kind: 'Namespace', metadata }, { fieldManager, ...options });
}

/** Takes our labels and annotations away; those that others set as well stay. False when there was nothing of ours. */
export async function stripNamespace(client: Pick<ClusterClient, 'apply'>, current: KubeObject): Promise<boolean> {
  if (!hasOurFields(current)) return false;
  const { name, uid } = current.metadata;
  // With the UID a namespace that was deleted meanwhile is not made again.
  const metadata = { name, ...(uid === undefined ? {} : { uid }) };
  await client.apply(collection, { apiVersion: 'v1', kind: 'Namespace', metadata }, { fieldManager });
  return true;
}

/** True when isthmus manages fields of this namespace. */
export function hasOurFields(namespace: KubeObject): boolean {
  const metadata: Readonly<Record<string, unknown>> = { ...namespace.metadata };
  return ManagedFields.parse(metadata['managedFields']).some(({ manager }) => manager === fieldManager);
}

export function isCreatedByUs(namespace: KubeObject): boolean {
  return namespace.metadata.annotations?.[createdAnnotation] === 'true';
}

function includes(actual: Readonly<Record<string, string>> = {}, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => actual[key] === value);
}
