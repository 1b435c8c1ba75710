// The mesh file of `isthmus demo`: the clusters of 2018 as text.
import { usageError } from '../base/errors.ts';
import { eraOf } from '../spec/schema.ts';
import { renderTemplate } from './templates.ts';
import type { TemplateSources } from './types.ts';

const fullVersion = /^[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?$/;

/**
 * The text of mesh.yaml for the demo.
 * @param istioVersion 0.8.0 gives the five load balancers of 2018, a version of today istiod's one
 * @throws IsthmusError (usage) when that is not a full version
 */
export function renderDemoMesh(templates: TemplateSources, istioVersion: string): string {
  if (!fullVersion.test(istioVersion)) throw usageError(`${JSON.stringify(istioVersion)} is not a full version of Istio such as 1.30.3`);
  return renderTemplate(templates, 'demo/mesh.yaml.hbs', {
    istioVersion,
    classic: eraOf({ istio: { version: istioVersion } }) === 'classic',
  });
}
