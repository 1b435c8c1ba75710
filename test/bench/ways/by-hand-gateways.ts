// The manual way between two networks: what Istio's documentation says with helm, kubectl and istioctl. The gateway of the first
// cluster takes the remote to istiod, and the gateways of both take pods to each other. Counted as in by-hand.ts. It ends
// with less than isthmus does: one pod in each gateway instead of two, and no budget for their disruption.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toYaml } from '../../../src/base/yaml.ts';
import { deployBookinfo } from './by-hand-bookinfo.ts';
import { addressOf, untilJoined, writeCharts, writeIstiodValues } from './by-hand-steps.ts';
import type { Way } from './types.ts';

export const byHandWithGateways: Way = {
  name: 'by hand',
  install: async (place) => {
    await writeCharts(place);
    await writeIstiodValues(place, 'network1');
    writeFileSync(join(place.operator.folder, 'gateway.yaml'), toYaml(gatewayValues));
    const { type } = place;

    await type('kubectl --context c1 create namespace istio-system');
    await type('kubectl --context c1 label namespace istio-system topology.istio.io/network=network1');
    await type('helm --kube-context c1 install istio-base istio/base --namespace istio-system');
    await type('helm --kube-context c1 install istiod istio/istiod --namespace istio-system --values istiod.yaml --wait');
    await type(
      'helm --kube-context c1 install istio-eastwestgateway istio/gateway --namespace istio-system --values gateway.yaml --set networkGateway=network1 --wait',
    );
    const address = await type(addressOf('c1', 'istio-eastwestgateway'));
    await type('kubectl --context c1 --namespace istio-system apply --filename samples/expose-istiod.yaml');

    await type('kubectl --context c2 create namespace istio-system');
    await type('kubectl --context c2 annotate namespace istio-system topology.istio.io/controlPlaneClusters=c1');
    await type('kubectl --context c2 label namespace istio-system topology.istio.io/network=network2');
    await type('helm --kube-context c2 install istio-base istio/base --namespace istio-system --set profile=remote');
    await type(
      `helm --kube-context c2 install istiod istio/istiod --namespace istio-system --set profile=remote --set global.configCluster=true --set global.multiCluster.clusterName=c2 --set global.network=network2 --set istiodRemote.injectionPath=/inject/cluster/c2/net/network2 --set global.remotePilotAddress=${address}`,
    );
    await type('istioctl create-remote-secret --context c2 --name c2 | kubectl --context c1 apply --filename -');
    await untilJoined(place);
    await type(
      'helm --kube-context c2 install istio-eastwestgateway istio/gateway --namespace istio-system --values gateway.yaml --set networkGateway=network2 --wait',
    );
    await type(addressOf('c2', 'istio-eastwestgateway'));
    await type('kubectl --context c1 --namespace istio-system apply --filename samples/expose-services.yaml');
  },
  deploy: deployBookinfo,
};

/** The name is what the samples select; the rest is what lets many small nodes share one machine. */
const gatewayValues = {
  name: 'istio-eastwestgateway',
  imagePullPolicy: 'IfNotPresent',
  autoscaling: { enabled: false },
  resources: { requests: { cpu: '10m', memory: '32Mi' } },
};
