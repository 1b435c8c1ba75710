// Istio's own charts: values of a mesh in them.
import { failure } from '../base/errors.ts';
import { parseYaml, toYaml } from '../base/yaml.ts';
import type { ChartFile } from './types.ts';

type Values = Readonly<Record<string, unknown>>;

/**
 * The values.yaml of one of Istio's charts with a mesh's values in it. Its defaults stand below a key of their own, and what stands
 * beside that key counts as given by the user (the charts' zzz_profile.yaml), so a chart folder needs no other file of values.
 * @throws IsthmusError when the chart has no values.yaml, or keeps its defaults in the way of versions before 1.24
 */
export function istioValues(source: readonly ChartFile[], values: Values): string {
  const file = source.find(({ path }) => path === 'values.yaml');
  const defaults = file === undefined ? undefined : parseYaml(file.contents, 'values.yaml of Istio').value;
  if (!isMapping(defaults) || !isMapping(defaults[defaultsKey]))
    throw failure(`the chart is none of Istio's: values.yaml has no ${defaultsKey}`, { where: 'istio.charts' });
  return toYaml({ [defaultsKey]: defaults[defaultsKey], ...values });
}

/** The image that istiod runs, from the values that isthmus sets. */
export function pilotImage(values: Values): string {
  const { hub, tag } = isMapping(values['global']) ? values['global'] : {};
  return `${String(hub)}/pilot:${String(tag)}`;
}

const defaultsKey = '_internal_defaults_do_not_set';

function isMapping(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
