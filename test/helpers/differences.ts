// How objects of one of our charts differ from those of Istio's: where, as the README of the chart names it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeObject } from '../../src/base/objects.ts';
import { chartFolder } from './chart.ts';

/** The places that a section of a chart's README lists, in the first column of its table. */
export function documentedDifferences(chart: string, heading: string): string[] {
  const readme = readFileSync(join(chartFolder(chart), 'README.md'), 'utf8');
  const section = readme.split('\n## ').find((text) => text.startsWith(heading));
  return [...(section ?? '').matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] ?? '');
}

/** Every place in which the two differ, each once and in order: a whole kind, a label on any object, a field of a kind. */
export function differencesBetween(theirObjects: readonly KubeObject[], ourObjects: readonly KubeObject[]): string[] {
  const [theirs, ours] = [describeObjects(theirObjects), describeObjects(ourObjects)];
  const keys = [...new Set([...theirs.keys(), ...ours.keys()])];
  const different = keys.filter((key) => theirs.get(key) !== ours.get(key));
  return [...new Set(different.map((key) => placeOf(key, theirs, ours)))].sort();
}

/** Every leaf of every object by `kind name | path`; lists whose order means nothing are keyed by what names their items. */
function describeObjects(objects: readonly KubeObject[]): Map<string, string> {
  const leaves = new Map<string, string>();
  for (const { apiVersion, kind, rules, ...rest } of objects) {
    const object = `${kind} ${rest.metadata.name}`;
    leaves.set(`${object} | apiVersion`, apiVersion);
    for (const [key, value] of leavesOf({ ...rest, ...(kind === 'ClusterRole' ? { rules: permissions(rules) } : {}) }, ''))
      leaves.set(`${object} | ${key}`, value);
  }
  return leaves;
}

function leavesOf(value: unknown, prefix: string): [string, string][] {
  if (typeof value !== 'object' || value === null) return [[prefix, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, item]) => {
    const name = Array.isArray(value) ? String((item as { name?: string }).name ?? key) : key;
    return leavesOf(item, prefix === '' ? name : Array.isArray(value) ? `${prefix}[${name}]` : `${prefix}.${name}`);
  });
}

/** The permissions that rules give, one by one, whatever way they are grouped. */
function permissions(rules: unknown): Record<string, boolean> {
  const all = (rules as { apiGroups: string[]; resources: string[]; verbs: string[] }[]).flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource} of "${group}"`))),
  );
  const wide = new Set(all);
  return Object.fromEntries(all.filter((one) => !isCovered(one, wide)).map((one) => [one, true]));
}

/** True for a permission that another one of the same role, on all resources of the group, gives already. */
function isCovered(permission: string, all: ReadonlySet<string>): boolean {
  const everything = permission.replace(/ \S+ of /, ' * of ');
  return everything !== permission && all.has(everything);
}

/** Where a difference stands, as the README names it: a whole kind, a label on any object, a field of a kind. */
function placeOf(key: string, theirs: ReadonlyMap<string, string>, ours: ReadonlyMap<string, string>): string {
  const [object = '', field = ''] = key.split(' | ');
  const kind = object.split(' ')[0] ?? '';
  if (!theirs.has(`${object} | apiVersion`) || !ours.has(`${object} | apiVersion`)) return kind;
  if (field.startsWith('metadata.labels.')) return field;
  return `${kind} ${field.replaceAll(/\[[^\]]*\]/g, '[]')}`;
}
