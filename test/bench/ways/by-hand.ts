// The manual way over pod routes: what Istio's documentation of primary and remote says with helm, kubectl and istioctl, an internal
// load balancer in front of istiod, and the routes of the original procedure. A loop that waits is one command, and so is a pipe.
// Files that a person would have written beforehand are there, and what he reads and thinks between two lines takes no time here.
// It ends with less than isthmus does: pods are masqueraded on their way to the other cluster, and nothing puts a lost route back.
import type { RealCluster } from '../../lab/nodes/cluster.ts';
import { deployBookinfo } from './by-hand-bookinfo.ts';
import { addressOf, untilJoined, writeCharts, writeIstiodValues, writeObjects } from './by-hand-steps.ts';
import type { Place, Way } from './types.ts';

export const byHand: Way = {
  name: 'by hand',
  install: async (place) => {
    await writeCharts(place);
    await writeIstiodValues(place, 'network1');
    writeObjects(place, 'istiod-ilb.yaml', [internalLoadBalancer]);
    const { type } = place;

    await joinPods(place);

    await type('kubectl --context c1 create namespace istio-system');
    await type('helm --kube-context c1 install istio-base istio/base --namespace istio-system');
    await type('helm --kube-context c1 install istiod istio/istiod --namespace istio-system --values istiod.yaml --wait');
    await type('kubectl --context c1 apply --filename istiod-ilb.yaml');
    const address = await type(addressOf('c1', 'istiod-ilb'));

    await type('kubectl --context c2 create namespace istio-system');
    await type('kubectl --context c2 annotate namespace istio-system topology.istio.io/controlPlaneClusters=c1');
    await type('helm --kube-context c2 install istio-base istio/base --namespace istio-system --set profile=remote');
    await type(
      `helm --kube-context c2 install istiod istio/istiod --namespace istio-system --set profile=remote --set global.configCluster=true --set global.multiCluster.clusterName=c2 --set istiodRemote.injectionPath=/inject/cluster/c2/net/network1 --set global.remotePilotAddress=${address}`,
    );
    await type('istioctl create-remote-secret --context c2 --name c2 | kubectl --context c1 apply --filename -');
    await untilJoined(place);
  },
  deploy: deployBookinfo,
};

const internalLoadBalancer = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'istiod-ilb', namespace: 'istio-system' },
  spec: {
    type: 'LoadBalancer',
    selector: { app: 'istiod', istio: 'pilot' },
    ports: [
      { name: 'tcp-istiod', port: 15012 },
      { name: 'tcp-webhook', port: 15017 },
    ],
  },
};

/** Every block of each cluster, by its node, on every node of the other one. */
async function joinPods(place: Place): Promise<void> {
  const [one, two] = [await readBlocks(place, place.one), await readBlocks(place, place.two)];
  await addRoutes(place, place.one, two);
  await addRoutes(place, place.two, one);
}

interface Block {
  readonly cidr: string;
  /** Address of the node that has it. */
  readonly via: string;
}

/** BIRD keeps a blackhole for the block of the node that it runs on. */
async function readBlocks({ typeOn }: Place, { nodes }: RealCluster): Promise<Block[]> {
  const blocks: Block[] = [];
  for (const [node, { shape }] of nodes) {
    const routes = await typeOn(node, 'ip route | grep bird');
    for (const [, cidr = ''] of routes.matchAll(/^blackhole (\S+)/gm)) blocks.push({ cidr, via: shape.address });
  }
  return blocks;
}

async function addRoutes({ typeOn }: Place, { nodes }: RealCluster, blocks: readonly Block[]): Promise<void> {
  for (const node of nodes.keys()) for (const { cidr, via } of blocks) await typeOn(node, `ip route add ${cidr} via ${via}`);
}
