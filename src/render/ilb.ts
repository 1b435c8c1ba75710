// Internal load balancers as manifests: one file per Service, which the small chart istio-ilb reads as data.
import { releaseNames } from '../base/names.ts';
import type { Ilb } from '../plan/types.ts';
import { renderTemplate } from './templates.ts';
import type { ChartFile, ReleaseIndex, TemplateSources } from './types.ts';

type Kept = NonNullable<ReleaseIndex['releases'][number]['kept']>;

/** The manifests of the Services, `services/<name>.yaml`, in order of name, each a complete object that `kubectl apply` takes too. */
export function ilbManifests(services: readonly Ilb[], mesh: string, templates: TemplateSources): readonly ChartFile[] {
  return byName(services).map((service) => ({
    path: `services/${service.name}.yaml`,
    contents: renderTemplate(templates, 'ilb-service.yaml.hbs', serviceData(service, mesh)),
  }));
}

/** What stays in the cluster when helm uninstalls the release, so that an address outlives a mistake: every Service. */
export function keptServices(services: readonly Ilb[]): Kept {
  return byName(services).map(({ namespace, name }) => ({ apiVersion: 'v1', kind: 'Service', namespace, name }));
}

function serviceData(service: Ilb, mesh: string): object {
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

function byName(services: readonly Ilb[]): Ilb[] {
  return services.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Fields are defined, not assigned: a key such as __proto__ from mesh.yaml stays a key. */
function sortedKeys(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}
