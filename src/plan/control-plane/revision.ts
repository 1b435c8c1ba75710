// The revision of istiod in a primary that serves the remotes.
import type { ClusterFacts, IstioFacts } from '../../facts/schema.ts';
import { makeFinding } from '../../findings/index.ts';
import type { Finding } from '../../findings/types.ts';
import type { UnplacedCluster } from '../cluster.ts';
import { count, listText, sortBy } from '../text.ts';

export type Revision = IstioFacts['revisions'][number];

/** Whether any istiod (or pilot) was found in a cluster. */
export function hasIstiod({ istio }: ClusterFacts): boolean {
  return (istio?.revisions ?? []).length > 0;
}

/** The revision of that name; the default one when `name` is empty. */
export function chosenRevision(primary: UnplacedCluster, name: string): Revision | undefined {
  return primary.facts.istio?.revisions.find((revision) => revision.name === name);
}

/** Says when no ready revision is the one of mesh.yaml, or when its selector would take in another. */
export function checkRevision(primary: UnplacedCluster, name: string): Finding[] {
  const revisions = sortBy(primary.facts.istio?.revisions ?? [], (revision) => revision.name);
  if (revisions.length === 0) return [];
  const cluster = primary.name;
  const chosen = chosenRevision(primary, name);
  const found = `Found: ${listText(revisions.map((revision) => title(revision.name)))}.`;
  if (chosen === undefined)
    return [
      makeFinding({ code: 'ISM066', cluster, message: `istiod has no ${name === '' ? 'default revision' : title(name)} here. ${found}` }),
    ];
  if (chosen.readyPods === 0)
    return [makeFinding({ code: 'ISM066', cluster, message: `istiod has no ready pod in ${title(name)}. ${found}` })];
  const others = revisions.filter((revision) => revision !== chosen && selects(chosen.selector, revision.selector));
  if (others.length === 0) return [];
  const message = `The selector of ${title(name)} matches ${count(others.length + 1, 'revision')}: ${listText([chosen, ...others].map((revision) => title(revision.name)))}.`;
  return [makeFinding({ code: 'ISM066', cluster, message })];
}

function title(name: string): string {
  return name === '' ? 'the default revision' : `revision ${name}`;
}

/** True when pods that have the labels `pods` match the selector; labels beyond the selector of their own Service are unknown. */
function selects(selector: Readonly<Record<string, string>>, pods: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([key, value]) => Object.hasOwn(pods, key) && pods[key] === value);
}
