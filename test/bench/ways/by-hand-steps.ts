// What both manual ways share: the files that are there before the first line, and the lines that wait until the clusters are joined.
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeObject } from '../../../src/base/objects.ts';
import { toYaml, toYamlStream } from '../../../src/base/yaml.ts';
import { istioHub, istioVersion } from '../../lab/istio-images.ts';
import { istioCharts } from '../../lab/toolchain.ts';
import { istiodValues } from '../../lab-e2e/empty-mesh.ts';
import type { Place } from './types.ts';

/** Puts Istio's charts where `helm repo add istio` would have led, and its samples beside them. */
export async function writeCharts({ operator: { folder } }: Place): Promise<void> {
  const charts = await istioCharts();
  const copies = {
    'istio/base': join(charts, 'base'),
    'istio/istiod': join(charts, 'istio-control', 'istio-discovery'),
    'istio/gateway': join(charts, 'gateway'),
    samples: join(charts, '..', '..', 'samples', 'multicluster'),
  };
  for (const [name, source] of Object.entries(copies)) cpSync(source, join(folder, name), { recursive: true });
}

/** Writes istiod.yaml: the values that isthmus gives to the istiod of the first cluster. */
export async function writeIstiodValues({ operator }: Place, network: string): Promise<void> {
  const own = { hub: istioHub, tag: istioVersion, meshID: 'bookinfo', network, multiCluster: { clusterName: 'c1' }, externalIstiod: true };
  const values = { ...istiodValues, global: { ...istiodValues.global, ...own } };
  writeFileSync(join(operator.folder, 'istiod.yaml'), toYaml(values));
}

export function writeObjects({ operator }: Place, file: string, objects: readonly KubeObject[]): void {
  writeFileSync(join(operator.folder, file), toYamlStream(objects));
}

/** The line that waits for the address that a load balancer gives to a Service, and prints it. */
export function addressOf(context: string, service: string): string {
  const path = '{.status.loadBalancer.ingress[0].ip}';
  return `until kubectl --context ${context} --namespace istio-system get service ${service} -o jsonpath='${path}' | grep .; do sleep 1; done`;
}

/** istiod has read the second cluster, and its certificate is in the webhook there: pods get sidecars from now on. */
export async function untilJoined({ type }: Place): Promise<void> {
  await type("until istioctl --context c1 remote-clusters | grep 'c2 .*synced'; do sleep 1; done");
  await type(
    "until kubectl --context c2 get mutatingwebhookconfiguration istio-sidecar-injector -o jsonpath='{.webhooks[*].clientConfig.caBundle}' | grep --quiet .; do sleep 1; done",
  );
}
