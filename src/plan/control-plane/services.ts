// The Services of type LoadBalancer in front of the control plane, per era of Istio.
import { gatewayName, ilbNames } from '../../base/names.ts';
import type { Era } from '../../spec/schema.ts';
import type { ServicePort } from '../types.ts';

/** One Service in front of one component. */
export interface IlbService {
  readonly name: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly ServicePort[];
}

/** Name of the one Service that a modern mesh has. */
export const [istiodIlb] = ilbNames.modern;

const [pilot, policy, statsd, zipkin, citadel] = ilbNames.classic;

/** Names of the Services that remotes of Istio 0.8 have endpoints for, by the value of istio-remote-classic. */
export const classicEndpoints = { pilot, policy, statsd, zipkin } as const;

/** 15012 serves proxies over TLS, 15017 the injection webhook. */
const modern: readonly IlbService[] = [
  { name: istiodIlb, selector: { app: 'istiod' }, ports: [tcp('tcp-istiod', 15012), tcp('tcp-webhook', 15017)] },
];

/** Ports and selectors of Istio 0.8; statsd over UDP alone, because few load balancers mix protocols. Zipkin runs inside Jaeger there. */
const classic: readonly IlbService[] = [
  {
    name: pilot,
    selector: { istio: 'pilot' },
    ports: [
      tcp('http-old-discovery', 15003),
      tcp('https-discovery', 15005),
      tcp('http-discovery', 15007),
      tcp('grpc-xds', 15010),
      tcp('https-xds', 15011),
      tcp('http-legacy-discovery', 8080),
      tcp('http-monitoring', 9093),
    ],
  },
  {
    name: policy,
    selector: { istio: 'mixer', 'istio-mixer-type': 'policy' },
    ports: [tcp('grpc-mixer', 9091), tcp('grpc-mixer-mtls', 15004), tcp('http-monitoring', 9093)],
  },
  {
    name: statsd,
    selector: { istio: 'statsd-prom-bridge' },
    ports: [{ name: 'statsd-udp', port: 9125, targetPort: 9125, protocol: 'UDP' }],
  },
  { name: zipkin, selector: { app: 'jaeger' }, ports: [tcp('http', 9411)] },
  { name: citadel, selector: { istio: 'citadel' }, ports: [tcp('grpc-citadel', 8060), tcp('http-monitoring', 9093)] },
];

/** Status for load balancers, and traffic between networks by mutual TLS. */
const gatewayPorts: readonly ServicePort[] = [tcp('status-port', 15021), tcp('tls', 15443)];

/** What a primary adds for remotes in other networks: istiod for their proxies, and its webhook. */
const istiodPorts: readonly ServicePort[] = [tcp('tls-istiod', 15012), tcp('tls-webhook', 15017)];

/** The Service in front of the east-west gateway of a cluster. */
export function gatewayService(exposesIstiod: boolean): IlbService {
  const ports = exposesIstiod ? [...gatewayPorts, ...istiodPorts] : gatewayPorts;
  return { name: gatewayName, selector: { app: gatewayName, istio: 'eastwestgateway' }, ports };
}

/** The Service that istiod makes for an ambient gateway: no ports for sidecars, and none for istiod, which has no remotes there. */
export function ambientGatewayService(): IlbService {
  const ports = [tcp('status-port', 15021), tcp('mesh', 15008)];
  return { name: gatewayName, selector: { 'gateway.networking.k8s.io/gateway-name': gatewayName }, ports };
}

/** The Services that a primary of this era gets. */
export function ilbServices(era: Era): readonly IlbService[] {
  return era === 'classic' ? classic : modern;
}

function tcp(name: string, port: number): ServicePort {
  return { name, port, targetPort: port, protocol: 'TCP' };
}
