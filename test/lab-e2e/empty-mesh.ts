// The mesh.yaml of empty clusters: isthmus installs Istio itself, from the charts and the images of the lab.
import { istioHub, istioVersion } from '../lab/istio-images.ts';
import type { MeshFile } from './operator.ts';

/** What lets many small nodes share one machine, and what stock Envoy lacks. */
export const istiodValues = {
  autoscaleEnabled: false,
  resources: { requests: { cpu: '50m', memory: '128Mi' } },
  env: { PILOT_ENABLE_METADATA_EXCHANGE: 'false', PILOT_ENABLE_ALPN_FILTER: 'false' },
  telemetry: { enabled: false },
  global: { imagePullPolicy: 'IfNotPresent', proxy: { resources: { requests: { cpu: '10m', memory: '32Mi' } } } },
} as const;

/**
 * Asks for Istio in what init wrote.
 * @param balanced clusters that have a load balancer
 */
export function askForIstio(mesh: MeshFile, charts: string, balanced: readonly string[]): void {
  Object.assign(mesh.istio, { version: istioVersion, hub: istioHub, install: true, charts, values: istiodValues });
  for (const cluster of mesh.clusters)
    if (balanced.includes(String(cluster['name']))) Object.assign(cluster, { loadBalancer: { platform: 'keepalived' } });
}
