// The load balancer of a cluster, as in the original procedure: an allocator that writes Services' status, and keepalived on its nodes.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LabProcess, startProcess } from '../process.ts';
import { networkOf } from './machine.ts';

export interface LoadBalancerOptions {
  /** Folder of the lab. */
  readonly lab: string;
  readonly cluster: string;
  /** URL of the API server, and the folder of the keys of its admin. */
  readonly server: string;
  readonly pki: string;
  /** Machines that answer for the addresses. */
  readonly nodes: readonly string[];
  /** Given out in this order. */
  readonly addresses: readonly string[];
  /** Number of the virtual router, 1 to 255: one per cluster of the same network. */
  readonly router: number;
  readonly keep: boolean;
}

/** Starts the allocator in the network of the fabric, which is there as long as the lab is; it starts keepalived. */
export function startNodeLoadBalancer(options: LoadBalancerOptions): LabProcess {
  const { lab, cluster, keep } = options;
  const file = join(lab, `load-balancer-${cluster}.json`);
  writeFileSync(file, JSON.stringify(options));
  const program = [process.execPath, '--import', 'tsx', join(import.meta.dirname, 'load-balancer-program.ts'), file];
  return startProcess({ folder: lab, name: `load-balancer-${cluster}`, keep, command: [...networkOf(lab, 'fabric'), ...program] });
}
