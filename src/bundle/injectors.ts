// Where the istiods of a bundle take the image from that they put into pods: a hub, which their ConfigMaps hold as text.
import * as z from 'zod';
import { failure } from '../base/errors.ts';
import type { ReleaseIndex } from '../render/types.ts';
import type { ParsedManifest } from './images.ts';

/** istiod reads its values from this ConfigMap, and Istio's chart shows them in another one. */
const Injector = z.object({
  kind: z.literal('ConfigMap'),
  metadata: z.object({ name: z.string().regex(/^istio-sidecar-injector(?:-|$)/) }),
  data: z.object({ values: z.string() }),
});
const InjectorValues = z.object({ global: z.object({ hub: z.string() }) });

/**
 * The hub of every istiod among the manifests, each once.
 * @throws IsthmusError when one of them says its hub in a way that install.sh could not point at a mirror
 */
export function injectorHubs(manifests: readonly ParsedManifest[]): readonly string[] {
  const hubs = new Set<string>();
  for (const { path, object } of manifests) {
    const injector = Injector.safeParse(object);
    if (!injector.success) continue;
    const { values } = injector.data.data;
    const hub = InjectorValues.safeParse(jsonOf(values));
    if (!hub.success || !values.includes(`\n    ${hubText(hub.data.global.hub)}`))
      throw failure('does not say in lines of JSON where istiod takes images from', { where: path });
    hubs.add(hub.data.global.hub);
  }
  return [...hubs].toSorted();
}

/** The field as these ConfigMaps write it. */
export function hubText(hub: string): string {
  return `"hub": ${JSON.stringify(hub)}`;
}

/** Primaries whose istiod came by other means than this bundle, so that nothing in it says where they take images from. */
export function foreignInjectors({ clusters, releases }: ReleaseIndex): readonly string[] {
  const own = new Set(releases.filter(({ chart }) => chart === 'istiod').map(({ cluster }) => cluster));
  return clusters.filter(({ name, role }) => role === 'primary' && !own.has(name)).map(({ name }) => name);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
