// The lab with Istio: real nodes that have Istio's images, keepalived in front of the first cluster, and an Istio primary there.
import { join } from 'node:path';
import { buildIstioImages } from '../istio-images.ts';
import type { LabProcess } from '../process.ts';
import { installPrimary } from './istio.ts';
import { type Lab, type LabOptions, startLab } from './lab.ts';
import { startNodeLoadBalancer } from './load-balancer.ts';

export interface IstioLab extends Lab {
  readonly loadBalancer: LabProcess;
}

/** Addresses that the load balancer gives out; inside the nodes' subnet, as the original ones were. */
export const balancedAddresses = ['9.111.255.5', '9.111.255.7', '9.111.255.4', '9.111.255.3', '9.111.255.10'];

export interface IstioLabOptions extends LabOptions {
  readonly say: (line: string) => void;
  /** Leaves the first cluster without istiod, for who installs it himself. */
  readonly empty?: boolean;
}

/** Starts the lab, and returns when istiod of the first cluster is ready. */
export async function startIstioLab(options: IstioLabOptions): Promise<IstioLab> {
  const { pilot, proxyv2 } = await buildIstioImages(options.say);
  const lab = await startLab({ ...options, images: [pilot, proxyv2] });
  try {
    const [primary] = lab.clusters;
    if (primary === undefined) throw new Error('the lab has no cluster');
    const { name, server, client, nodes } = primary;
    const pki = join(primary.folder, 'pki');
    // The last node is asked first: the control plane on the first one need not suffer when the holder of the addresses does.
    const place = {
      lab: lab.folder,
      keep: options.keep ?? false,
      router: 1,
      nodes: [...nodes.values()].map(({ machine }) => machine.name).reverse(),
    };
    const loadBalancer = startNodeLoadBalancer({ ...place, cluster: name, server, pki, addresses: balancedAddresses });
    if (options.empty !== true) await installPrimary(client, { cluster: name, meshID: 'bookinfo', network: 'network1' });
    return { ...lab, loadBalancer };
  } catch (error) {
    await lab.stop();
    throw error;
  }
}
