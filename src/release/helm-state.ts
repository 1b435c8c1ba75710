// What helm knows about the releases of one namespace.
import * as z from 'zod';
import { failure, messageOf } from '../base/errors.ts';
import type { KubeObject } from '../base/objects.ts';
import { parseYamlStream } from '../base/yaml.ts';
import type { Helm } from './helm.ts';
import { type HelmTarget, historyArgs, listArgs, manifestArgs } from './helm-args.ts';

const ListedRelease = z.object({
  name: z.string(),
  revision: z.coerce.number().int(),
  status: z.string(),
  /** `route-installer-cluster1-0.1.0+0a1b2c3d4e5f`: name and version of the chart. */
  chart: z.string(),
  /** `2026-11-22 19:15:31.1234 +0000 UTC`. */
  updated: z.string(),
});

const Revision = z.object({ revision: z.coerce.number().int(), status: z.string() });

const Manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

export type ListedRelease = z.infer<typeof ListedRelease>;

/** The latest revision of every release in a namespace, by name. */
export async function listReleases(helm: Helm, target: HelmTarget, where: string): Promise<ReadonlyMap<string, ListedRelease>> {
  const listed = parse(z.array(ListedRelease), await helm.run(listArgs(target), { where }), 'helm list');
  return new Map(listed.map((release) => [release.name, release]));
}

/** The last revision that was deployed in full; undefined when there is none. */
export async function lastGoodRevision(helm: Helm, target: HelmTarget, release: string): Promise<number | undefined> {
  const revisions = parse(z.array(Revision), await helm.run(historyArgs(target, release)), 'helm history');
  return revisions.findLast(({ status }) => status === 'deployed' || status === 'superseded')?.revision;
}

/** The objects of a release as they were last installed; objects without a namespace of their own get that of the release. */
export async function deployedObjects(helm: Helm, target: HelmTarget, release: string): Promise<readonly KubeObject[]> {
  return objectsOf(await helm.run(manifestArgs(target, release)), `helm get manifest ${release}`);
}

/** The objects of rendered YAML. */
export function objectsOf(text: string, what: string): readonly KubeObject[] {
  return parseYamlStream(text, what)
    .filter((value) => value !== null)
    .map((value) => Manifest.parse(value) as KubeObject);
}

function parse<T>(schema: z.ZodType<T>, text: string, what: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw failure(`${what} printed something unexpected: ${messageOf(error).slice(0, 200)}`);
  }
}
