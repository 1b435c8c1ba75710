// Chart eastwest-gateway against the gateway of Istio's samples: every difference stands in the chart's README, and nothing else differs.
import { execFileSync } from 'node:child_process';
import type { KubeObject } from '../../src/base/objects.ts';
import { parseYamlStream, toYaml } from '../../src/base/yaml.ts';
import { chartFolder } from '../helpers/chart.ts';
import { differencesBetween, documentedDifferences } from '../helpers/differences.ts';
import { templateBoth } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';

const name = 'istio-eastwestgateway';
const namespace = 'istio-system';
const network = 'network1';
const heading = "Differences from Istio's gateway";

/** What gen-eastwest-gateway.sh of Istio's samples asks istioctl for. */
const sample = {
  apiVersion: 'install.istio.io/v1alpha1',
  kind: 'IstioOperator',
  metadata: { name: 'eastwest' },
  spec: {
    profile: 'empty',
    components: {
      ingressGateways: [
        {
          name,
          label: { istio: 'eastwestgateway', app: name, 'topology.istio.io/network': network },
          enabled: true,
          k8s: {
            env: [{ name: 'ISTIO_META_REQUESTED_NETWORK_VIEW', value: network }],
            service: {
              ports: [
                { name: 'status-port', port: 15021, targetPort: 15021 },
                { name: 'tls', port: 15443, targetPort: 15443 },
                { name: 'tls-istiod', port: 15012, targetPort: 15012 },
                { name: 'tls-webhook', port: 15017, targetPort: 15017 },
              ],
            },
          },
        },
      ],
    },
    values: { gateways: { 'istio-ingressgateway': { injectionTemplate: 'gateway' } }, global: { network } },
  },
};

/** What expose-services.yaml and expose-istiod.yaml of Istio's samples say, under the names of this chart. */
const exposed: readonly KubeObject[] = [
  istioObject('Gateway', 'services', {
    selector: { istio: 'eastwestgateway' },
    servers: [server(15443, 'tls', { protocol: 'TLS', mode: 'AUTO_PASSTHROUGH', hosts: ['*.local'] })],
  }),
  istioObject('Gateway', 'istiod', {
    selector: { istio: 'eastwestgateway' },
    servers: [
      server(15012, 'tls-istiod', { protocol: 'tls', mode: 'PASSTHROUGH', hosts: ['*'] }),
      server(15017, 'tls-istiodwebhook', { protocol: 'tls', mode: 'PASSTHROUGH', hosts: ['*'] }),
    ],
  }),
  istioObject('VirtualService', 'istiod', {
    hosts: ['*'],
    gateways: [`${name}-istiod`],
    tls: [route(15012, 15012), route(15017, 443)],
  }),
];

describe("eastwest-gateway and Istio's", ({ test, before }) => {
  let differences: readonly string[] = [];

  before(async () => {
    const values = { network, expose: { istiod: true } };
    const ours = await templateBoth(chartFolder('eastwest-gateway'), { namespace, values, release: 'istio' });
    differences = [...new Set(differencesBetween([...renderUpstream(), ...exposed], ours).map(coarse))].sort();
  });

  test('differ only where the README says so', () => {
    const documented = new Set(documentedDifferences('eastwest-gateway', heading));

    assert.equal(
      differences.filter((difference) => !documented.has(difference)),
      [],
    );
  });

  test('differ in everything that the README says', () => {
    assert.equal(documentedDifferences('eastwest-gateway', heading).sort(), differences);
  });
});

/** One line for what is set or left out together: the parts of a container, of a volume, a label on Deployment and pods. */
function coarse(place: string): string {
  return place
    .replace('Deployment spec.template.metadata.labels.', 'metadata.labels.')
    .replace(/((?:containers\[\]\.[a-zA-Z]+|topologySpreadConstraints|volumes|affinity|strategy)).*$/, '$1');
}

function renderUpstream(): KubeObject[] {
  const text = execFileSync(toolPath('istioctl'), ['manifest', 'generate', '-f', '-'], {
    encoding: 'utf8',
    input: toYaml(sample),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  return parseYamlStream(text, 'istioctl').filter((object) => object !== null) as KubeObject[];
}

function istioObject(kind: string, what: string, spec: unknown): KubeObject {
  return { apiVersion: 'networking.istio.io/v1', kind, metadata: { name: `${name}-${what}`, namespace }, spec };
}

function server(number: number, port: string, { protocol, mode, hosts }: { protocol: string; mode: string; hosts: string[] }) {
  return { port: { number, name: port, protocol }, tls: { mode }, hosts };
}

function route(port: number, target: number) {
  const destination = { host: `istiod.${namespace}.svc.cluster.local`, port: { number: target } };
  return { match: [{ port, sniHosts: ['*'] }], route: [{ destination }] };
}
