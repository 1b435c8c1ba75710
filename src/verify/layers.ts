// The layers in their order: each stands on the one before it.
import { clusterLayer } from './cluster.ts';
import { controlPlaneLayer } from './control-plane.ts';
import { gatewayLayer } from './gateways.ts';
import { podLayer } from './pods/layer.ts';
import { routeLayer } from './routes.ts';
import type { Layer } from './types.ts';

export const layers: readonly Layer[] = [clusterLayer, routeLayer, podLayer, gatewayLayer, controlPlaneLayer];
