// Clusters of real nodes on one network: what tests and `npm run lab -- up` start.
import { makeFolder, removeFolder, removeLeftovers } from '../folders.ts';
import { type RealCluster, startRealCluster } from './cluster.ts';
import { type Fabric, startFabric } from './fabric.ts';
import { buildImageStore } from './image-store.ts';
import { buildNodeImages } from './images.ts';
import { raiseLimits } from './limits.ts';
import { type ClusterShape, meshShape } from './shape.ts';

export interface Lab {
  readonly folder: string;
  readonly fabric: Fabric;
  /** Clusters in order: c1, c2, ... */
  readonly clusters: readonly RealCluster[];
  /** Words before a command that make it run on the operator's workstation: in the network that reaches every API server. */
  readonly workstation: readonly string[];
  /** Ends everything and removes the folder. */
  stop(): Promise<void>;
}

export interface LabOptions {
  /** Clusters and their nodes; two of three, as in the original procedure, when not given. */
  readonly shape?: readonly ClusterShape[];
  /** Archives of images beside the lab's own. */
  readonly images?: readonly string[];
  /** Lives on after this program ends, until `down`. */
  readonly keep?: boolean;
}

/** Name of the folder of a lab that is kept. */
export const keptLab = 'nodes';

/** Starts the network and all clusters side by side, after it has removed what dead runs left. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const { shape = meshShape({ clusters: 2, nodes: 3 }), keep = false } = options;
  await removeLeftovers();
  raiseLimits();
  const folder = makeFolder(keptLab, keep);
  try {
    const images = await buildImageStore(folder, [...(await buildNodeImages()), ...(options.images ?? [])]);
    const fabric = await startFabric(folder, keep);
    const clusters = await Promise.all(shape.map((each) => startRealCluster({ lab: folder, keep, fabric, images }, each)));
    return {
      folder,
      fabric,
      clusters,
      workstation: fabric.machine.network,
      stop: async () => {
        for (const { client } of clusters) client.close();
        await removeFolder(folder);
      },
    };
  } catch (error) {
    await removeFolder(folder);
    throw error;
  }
}
