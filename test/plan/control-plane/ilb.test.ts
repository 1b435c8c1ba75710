// Load balancers in front of the control plane: internal on every platform, with addresses that fit.
import type { ClusterFacts, LoadBalancerService } from '../../../src/facts/schema.ts';
import { platformNamed, platformNames } from '../../../src/plan/control-plane/platforms.ts';
import type { Ilb } from '../../../src/plan/types.ts';
import { codesOf, findingsOf, istio, planFlat, planPair, releaseOf } from '../../helpers/builders.ts';
import { assert, describe } from '../../helpers/suite.ts';

function planWith(loadBalancer: object, one: Partial<ClusterFacts> = {}, mesh: object = {}) {
  return planFlat({ primary: { loadBalancer }, one, mesh: { ...mesh } });
}

function ilbOf(plan: ReturnType<typeof planPair>): Ilb {
  const [ilb] = releaseOf(plan, 'cluster1', 'istio-ilb').services;
  if (ilb === undefined) throw new Error('no ILB');
  return ilb;
}

function service(overrides: Partial<LoadBalancerService>): LoadBalancerService {
  return { namespace: 'istio-system', name: 'istiod-ilb', addresses: [], hostnames: [], requested: [], ...overrides };
}

/** The annotations and class that make a load balancer internal, as each platform documents them. */
const switches: Readonly<Record<string, string>> = {
  aws: 'service.beta.kubernetes.io/aws-load-balancer-scheme=internal',
  'aws-lbc': 'class service.k8s.aws/nlb',
  'eks-auto': 'class eks.amazonaws.com/nlb',
  azure: 'service.beta.kubernetes.io/azure-load-balancer-internal=true',
  gke: 'networking.gke.io/load-balancer-type=Internal',
  gce: 'networking.gke.io/load-balancer-type=Internal',
  ibm: 'service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type=private',
  openstack: 'service.beta.kubernetes.io/openstack-internal-load-balancer=true',
  alibaba: 'service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type=intranet',
  baidu: 'service.beta.kubernetes.io/cce-load-balancer-internal-vpc=true',
  oracle: 'service.beta.kubernetes.io/oci-load-balancer-internal=true',
  'oracle-nlb': 'oci-network-load-balancer.oraclecloud.com/internal=true',
  digitalocean: 'service.beta.kubernetes.io/do-loadbalancer-network=INTERNAL',
  hetzner: 'load-balancer.hetzner.cloud/disable-public-network=true',
};

/** Platforms without a public side of their own, or that need an annotation only the user knows. */
const withoutSwitch = [
  'tencent',
  'huawei',
  'vsphere',
  'metallb',
  'kube-vip',
  'cilium',
  'calico',
  'openelb',
  'purelb',
  'servicelb',
  'keepalived',
  'icp',
];

describe('load balancers', ({ test }) => {
  test('are internal on every platform', () => {
    assert.equal([...Object.keys(switches), ...withoutSwitch].sort(), [...platformNames()].sort());
    for (const [platform, expected] of Object.entries(switches)) {
      const { annotations, loadBalancerClass } = ilbOf(planWith({ platform }));

      const found = [...Object.entries(annotations).map(([key, value]) => `${key}=${value}`), `class ${loadBalancerClass}`];
      assert.ok(found.includes(expected), `${platform}: ${found.join(' ')}`);
    }
  });

  test('have text as the value of every annotation', () => {
    for (const platform of platformNames()) {
      const values = Object.values(platformNamed(platform)?.annotations ?? {});
      assert.ok(
        values.every((value) => typeof value === 'string' && value !== ''),
        platform,
      );
    }
    assert.is(platformNamed('constructor'), undefined);
  });

  test('are of the cloud that the cluster runs on, or of what is installed in it', () => {
    const cloud = planWith({}, { loadBalancer: { value: 'cloud', source: '' }, platform: { value: 'azure', source: '' } });
    const installed = planWith({}, { loadBalancer: { value: 'kube-vip', source: '' }, platform: { value: 'azure', source: '' } });

    assert.is(ilbOf(cloud).platform, 'azure');
    assert.is(ilbOf(installed).platform, 'kube-vip');
  });

  test('are refused where a needed annotation is missing', () => {
    const missing = planWith({ platform: 'tencent' });
    const given = planWith({
      platform: 'tencent',
      annotations: { 'service.kubernetes.io/qcloud-loadbalancer-internal-subnetid': 'subnet-1' },
    });

    assert.match(findingsOf(missing, 'ISM060')[0]?.message ?? '', 'qcloud-loadbalancer-internal-subnetid, which is missing');
    assert.equal(findingsOf(given, 'ISM060'), []);
  });

  test('ask for a fixed address by annotation where the platform has one, else by loadBalancerIP', () => {
    const addresses = { 'istiod-ilb': '10.5.5.5' };
    const fixed = (platform: string) => ilbOf(planWith({ platform, addresses }));

    assert.is(fixed('metallb').annotations['metallb.io/loadBalancerIPs'], '10.5.5.5');
    assert.is(fixed('kube-vip').annotations['kube-vip.io/loadbalancerIPs'], '10.5.5.5');
    assert.is(fixed('cilium').annotations['lbipam.cilium.io/ips'], '10.5.5.5');
    assert.is(fixed('azure').annotations['service.beta.kubernetes.io/azure-load-balancer-ipv4'], '10.5.5.5');
    assert.is(fixed('calico').annotations['projectcalico.org/loadBalancerIPs'], '["10.5.5.5"]');
    assert.is(fixed('metallb').loadBalancerIP, undefined);
    assert.equal([fixed('keepalived').loadBalancerIP, fixed('keepalived').annotations], ['10.5.5.5', {}]);
    assert.is(fixed('openstack').loadBalancerIP, '10.5.5.5');
  });

  test("let the user's annotations and class win", () => {
    const ilb = ilbOf(
      planWith({
        platform: 'ibm',
        class: 'own',
        annotations: { 'service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type': 'x', b: 'c' },
      }),
    );

    assert.is(ilb.loadBalancerClass, 'own');
    assert.equal(ilb.annotations, { b: 'c', 'service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type': 'x' });
  });

  test('let pods, nodes and the API server of the others connect, unless told otherwise', () => {
    const server = { value: 'https://192.168.77.1:6443', source: '' };

    assert.equal(ilbOf(planPair({ two: { server } })).sourceRanges, ['10.2.0.0/16', '192.168.1.0/24', '192.168.77.1/32']);
    assert.equal(ilbOf(planWith({ sourceRanges: ['10.0.0.0/8'] })).sourceRanges, ['10.0.0.0/8']);
    assert.equal(ilbOf(planWith({ sourceRanges: [] })).sourceRanges, []);
  });

  test('are warned about where nothing would give them an address', () => {
    const none = planWith({}, { loadBalancer: { value: 'none', source: '' } });
    const unknown = planWith({ platform: 'mycloud' });

    assert.is(findingsOf(none, 'ISM064')[0]?.message, 'No load balancer implementation was found in this cluster.');
    assert.match(findingsOf(unknown, 'ISM064')[0]?.message ?? '', 'platform mycloud');
    assert.equal(findingsOf(planWith({ platform: 'mycloud', class: 'x' }), 'ISM064'), []);
  });

  test('are not planned where every remote is given an address', () => {
    const plan = planPair({ remote: { remotePilotAddress: '10.5.5.5' } });

    assert.equal(
      plan.clusters[0]?.releases.map(({ name }) => name),
      ['route-installer'],
    );
  });
});

describe('addresses of load balancers', ({ test }) => {
  test('are waited for, found, or fixed', () => {
    const waiting = ilbOf(planPair());
    const found = ilbOf(planPair({ one: { services: [service({ addresses: ['10.5.5.5'] })] } }));
    const fixed = ilbOf(planWith({ addresses: { 'istiod-ilb': '10.5.5.6' } }));

    assert.equal(waiting.address, { state: 'pending' });
    assert.equal(found.address, { state: 'found', addresses: ['10.5.5.5'], source: 'Service istio-system/istiod-ilb' });
    assert.equal(fixed.address, { state: 'fixed', addresses: ['10.5.5.6'], source: 'mesh.yaml' });
  });

  test('are not taken from a Service of the same name elsewhere', () => {
    const plan = planPair({ one: { services: [service({ namespace: 'other', addresses: ['10.5.5.5'] })] } });

    assert.equal(ilbOf(plan).address, { state: 'pending' });
  });

  test('that are fixed win over those that are there, and the difference is told', () => {
    const plan = planWith({ addresses: { 'istiod-ilb': '10.5.5.6' } }, { services: [service({ addresses: ['10.5.5.5'] })] });

    assert.is(findingsOf(plan, 'ISM005')[0]?.message, 'istiod-ilb shall have 10.5.5.6 and has 10.5.5.5. mesh.yaml is used.');
  });

  test('must be internal: private, in a subnet of the nodes, or declared', () => {
    const planAt = (address: string, mesh: object = {}) => planWith({ addresses: { 'istiod-ilb': address } }, {}, mesh);

    assert.equal(codesOf(planAt('10.5.5.5')), []);
    assert.equal(codesOf(planAt('192.168.1.250')), []);
    assert.equal(codesOf(planAt('9.9.9.9', { internalCIDRs: ['9.9.9.0/24'] })), []);
    assert.is(
      findingsOf(planAt('9.9.9.9'), 'ISM060')[0]?.message,
      'istiod-ilb: 9.9.9.9 is not internal. It is in no private range, not in internalCIDRs, not in a subnet of the nodes: 192.168.1.0/24.',
    );
  });

  test('that a load balancer gave must be internal too', () => {
    const plan = planPair({ one: { services: [service({ addresses: ['34.1.2.3'] })] } });

    assert.is(findingsOf(plan, 'ISM060')[0]?.severity, 'error');
    assert.is(findingsOf(plan, 'ISM060')[0]?.where, 'Service istio-system/istiod-ilb');
  });

  test('beside a node are internal only where no subnet is known, which the finding says', () => {
    const nodes = [{ address: '9.111.255.21' }].map(({ address }) => ({
      name: 'n1',
      os: 'linux',
      ready: true,
      deleting: false,
      virtual: false,
      addresses: [{ value: address, source: 'InternalIP' }],
      subnets: [] as string[],
      blocks: [{ cidr: '10.1.1.0/26', source: '' }],
      foreignRoutes: [],
    }));
    const beside = planWith({ addresses: { 'istiod-ilb': '9.111.255.5' } }, { nodes });
    const away = planWith({ addresses: { 'istiod-ilb': '9.111.254.5' } }, { nodes });
    const known = planWith(
      { addresses: { 'istiod-ilb': '9.111.255.5' } },
      { nodes: nodes.map((one) => ({ ...one, subnets: ['9.111.255.16/28'] })) },
    );

    assert.equal(findingsOf(beside, 'ISM060'), []);
    assert.match(findingsOf(away, 'ISM060')[0]?.message ?? '', '9.111.255.0/24 (around a node address; real subnet unknown)');
    assert.is(findingsOf(known, 'ISM060').length, 1);
  });

  test('must not be asked for twice', () => {
    const plan = planPair({
      mesh: { istio: { version: '0.8.0' } },
      primary: { loadBalancer: { addresses: { 'istio-pilot-ilb': '10.5.5.5', 'zipkin-ilb': '10.5.5.5' } } },
    });

    assert.is(findingsOf(plan, 'ISM061')[0]?.message, 'istio-pilot-ilb and zipkin-ilb all ask for 10.5.5.5.');
  });

  test('must not be those of other Services, but may be those of the Service itself', () => {
    const addresses = { 'istiod-ilb': '10.5.5.5' };
    const other = planWith({ addresses }, { services: [service({ name: 'ingress', requested: ['10.5.5.5'], addresses: ['10.5.5.5'] })] });
    const self = planWith({ addresses }, { services: [service({ requested: ['10.5.5.5'], addresses: ['10.5.5.5'] })] });
    const shared = planWith(
      { addresses, annotations: { 'metallb.io/allow-shared-ip': 'mesh' } },
      { services: [service({ name: 'ingress', addresses: ['10.5.5.5'] })] },
    );

    assert.is(findingsOf(other, 'ISM061')[0]?.message, 'istiod-ilb and istio-system/ingress all ask for 10.5.5.5.');
    assert.equal([findingsOf(self, 'ISM061'), findingsOf(shared, 'ISM061')], [[], []]);
  });
});

describe('the selector of istiod-ilb', ({ test }) => {
  test('is the one of the live revision', () => {
    const plan = planPair({
      one: { istio: istio('cluster1', { name: 'canary', selector: { app: 'istiod', 'istio.io/rev': 'canary' } }) },
      mesh: { istio: { version: '1.30.3', revision: 'canary' } },
    });

    assert.equal(ilbOf(plan).selector, { app: 'istiod', 'istio.io/rev': 'canary' });
    assert.equal(findingsOf(plan, 'ISM066'), []);
  });

  test('is made from the revision where nothing is known', () => {
    const plan = planPair({
      one: { istio: { namespace: 'istio-system', revisions: [], injectionWebhooks: [] } },
      mesh: { istio: { version: '1.30.3', revision: 'canary' } },
    });

    assert.equal(ilbOf(plan).selector, { app: 'istiod', 'istio.io/rev': 'canary' });
  });
});
