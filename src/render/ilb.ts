// Internal load balancers as manifests: one file per Service, which the small chart istio-ilb reads as data.
import { usageError } from '../base/errors.ts';
import { escapeText, releaseNames } from '../base/names.ts';
import type { Ilb } from '../plan/types.ts';
import { compileTemplate } from './templates.ts';
import type { ChartFile, ReleaseIndex, TemplateSources } from './types.ts';

type Kept = NonNullable<ReleaseIndex['releases'][number]['kept']>;

/** Helm loses an object that holds one of these, or changes the text: its YAML goes through readers that take them for line breaks or refuse them. */
const notForHelm = /(?![\t\n])[\p{Cc}\p{Cs}\u{2028}\u{2029}\u{fffe}\u{ffff}]/u;

/**
 * The manifests of the Services, `services/<name>.yaml`, in order of name, each a complete object that `kubectl apply` takes too.
 * @throws IsthmusError (usage) when an annotation holds a control character, which helm cannot carry
 */
export function ilbManifests(services: readonly Ilb[], mesh: string, templates: TemplateSources): readonly ChartFile[] {
  const render = compileTemplate(templates, 'ilb-service.yaml.hbs');
  return byName(services).map((service) => ({ path: `services/${service.name}.yaml`, contents: render(serviceData(service, mesh)) }));
}

/** What stays in the cluster when helm uninstalls the release, so that an address outlives a mistake: every Service. */
export function keptServices(services: readonly Ilb[]): Kept {
  return byName(services).map(({ namespace, name }) => ({ apiVersion: 'v1', kind: 'Service', namespace, name }));
}

function serviceData(service: Ilb, mesh: string): object {
  refuseControlCharacters(service);
  return {
    name: service.name,
    namespace: service.namespace,
    platform: service.platform,
    labels: {
      'app.kubernetes.io/name': service.name,
      'app.kubernetes.io/instance': releaseNames.ilb,
      'app.kubernetes.io/component': 'control-plane',
      'app.kubernetes.io/part-of': mesh,
      'app.kubernetes.io/managed-by': 'Helm',
    },
    annotations: sortedKeys({ ...service.annotations, 'helm.sh/resource-policy': 'keep' }),
    loadBalancerClass: service.loadBalancerClass,
    loadBalancerIP: service.loadBalancerIP,
    sourceRanges: service.sourceRanges.length === 0 ? undefined : service.sourceRanges,
    selector: sortedKeys(service.selector),
    ports: service.ports.map(({ name, port, targetPort, protocol }) => ({ name, port, targetPort, protocol })),
  };
}

function refuseControlCharacters({ name, annotations }: Ilb): void {
  const found = Object.entries(annotations).find(([key, value]) => notForHelm.test(key) || notForHelm.test(value));
  if (found === undefined) return;
  throw usageError(`annotation ${escapeText(found[0])} holds a control character: ${escapeText(found[1])}`, {
    where: `Service ${name}`,
    hint: 'Helm cannot carry it; write the annotation without it.',
  });
}

function byName(services: readonly Ilb[]): Ilb[] {
  return services.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Fields are defined, not assigned: a key such as __proto__ from mesh.yaml stays a key. */
function sortedKeys(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}
