// Clusters of real nodes on one network: what tests and `npm run lab -- up` start.
import { makeFolder, removeFolder, removeLeftovers } from '../folders.ts';
import { type RealCluster, startRealCluster } from './cluster.ts';
import { type Fabric, startFabric } from './fabric.ts';
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
  /** Archives of images beside the lab's own, for all nodes. */
  readonly images?: readonly string[];
  /** Archives for the nodes of the first cluster alone; what only a control plane runs need not be everywhere. */
  readonly primaryImages?: readonly string[];
  /** Lives on after this program ends, until `down`. */
  readonly keep?: boolean;
}

/** Name of the folder of a lab that is kept. */
export const keptLab = 'nodes';

/** Starts the network and all clusters side by side, after it has removed what dead runs left. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const { shape = meshShape({ clusters: 2, nodes: 3 }), primaryImages = [], keep = false } = options;
  await removeLeftovers();
  raiseLimits();
  const images = [...(await buildNodeImages()), ...(options.images ?? [])];
  const folder = makeFolder(keptLab, keep);
  try {
    const fabric = await startFabric(folder, keep);
    const clusters = await Promise.all(
      shape.map((each, index) => {
        const own = index === 0 ? primaryImages : [];
        return startRealCluster({ lab: folder, keep, fabric, images: [...images, ...own] }, each);
      }),
    );
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
