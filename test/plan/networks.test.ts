// Which network each cluster is in, why, and what joins clusters of different networks.
import * as fc from 'fast-check';
import type { ClusterFacts } from '../../src/facts/schema.ts';
import { planMesh } from '../../src/plan/mesh.ts';
import type { ClusterInput, MeshPlan } from '../../src/plan/types.ts';
import { clusterOf, facts, findingsOf, istio, mesh, node, planPair, releaseOf } from '../helpers/builders.ts';
import { assert, describe } from '../helpers/suite.ts';

const subnets = ['192.168.1.0/24'];

/** Cluster `c<index>` with the given pod CIDR and whatever else is unusual about it. */
function cluster(name: string, podCIDR: string, overrides: Partial<ClusterFacts> = {}): ClusterInput {
  const index = Number(name.slice(1));
  const found = facts(name, {
    podCIDRs: { value: [podCIDR], source: 'IPPool a' },
    serviceCIDRs: { value: [`10.${200 + index}.0.0/16`], source: 'ServiceCIDR a' },
    nodes: [node('n1', `192.168.1.${index}`, [podCIDR.replace('0.0/16', '1.0/26')], { subnets })],
    ...overrides,
  });
  return { name, found };
}

const primary = (network?: string): Partial<ClusterFacts> => ({
  istio: istio('c1', network === undefined ? { network: 'network1' } : { network }),
});

function networksOf(plan: MeshPlan): string[] {
  return plan.clusters.map(({ name, network }) => `${name} ${network}`);
}

function namesOf(inputs: readonly ClusterInput[]) {
  return inputs.map(({ name }) => ({ name }));
}

describe('networks', ({ test }) => {
  test('are one where nothing speaks against it', () => {
    const plan = planPair();

    assert.equal(networksOf(plan), ['cluster1 network1', 'cluster2 network1']);
    assert.is(plan.links[0]?.by, 'routes');
    assert.is(clusterOf(plan, 'cluster2').networkReason, 'flat with cluster1');
  });

  test('are as mesh.yaml writes them, and a cluster that is set apart takes no other with it', () => {
    const inputs = [cluster('c1', '10.1.0.0/16', primary()), cluster('c2', '10.2.0.0/16'), cluster('c3', '10.3.0.0/16')];

    const plan = planMesh({ mesh: mesh([{ name: 'c1' }, { name: 'c2' }, { name: 'c3', network: 'vpc-3' }]), inputs });

    assert.equal(networksOf(plan), ['c1 network1', 'c2 network1', 'c3 vpc-3']);
    assert.is(clusterOf(plan, 'c3').networkReason, 'written in mesh.yaml');
    assert.equal(
      plan.links.map(({ by }) => by),
      ['routes', 'gateways', 'gateways'],
    );
    assert.is(plan.links[1]?.reason, 'c1 is in network network1, c3 in vpc-3');
  });

  const conflicts: readonly (readonly [string, Partial<ClusterFacts>, string])[] = [
    ['the same pod CIDR', { podCIDRs: { value: ['10.1.0.0/16'], source: '' } }, 'Pod CIDR 10.1.0.0/16 is in both c1 and c2'],
    [
      'a tunnel as the only way to pods',
      { cni: { value: { name: 'antrea', encapsulation: 'geneve', flat: false }, source: '' } },
      'the pod network of c2 is not flat',
    ],
    [
      'nodes on another link',
      { nodes: [node('n1', '192.168.2.21', ['10.2.1.0/26'], { subnets: ['192.168.2.0/24'] })] },
      'nodes of c1 cannot route through nodes of c2: 192.168.2.21 is not in 192.168.1.0/24',
    ],
  ];
  for (const [what, two, reason] of conflicts) {
    test(`of their own are given for ${what}, with the reason, and no error`, () => {
      const inputs = [cluster('c1', '10.1.0.0/16', primary()), cluster('c2', '10.2.0.0/16', two)];

      const plan = planMesh({ mesh: mesh(namesOf(inputs)), inputs });

      assert.equal(networksOf(plan), ['c1 network1', 'c2 network-c2']);
      assert.is(clusterOf(plan, 'c2').networkReason, `not flat with c1: ${reason}`);
      assert.equal(plan.links, [{ clusters: ['c1', 'c2'], by: 'gateways', reason }]);
      assert.equal(findingsOf(plan, 'ISM053'), [
        { code: 'ISM053', severity: 'info', message: `c1 and c2 are joined by east-west gateways: ${reason}.` },
      ]);
      assert.equal(
        plan.findings.filter(({ severity }) => severity === 'error'),
        [],
      );
      assert.equal(clusterOf(plan, 'c1').routes, []);
    });
  }

  test('stay an error where mesh.yaml insists on one', () => {
    const inputs = [cluster('c1', '10.1.0.0/16', primary()), cluster('c2', '10.1.0.0/16')];

    const plan = planMesh({ mesh: mesh(namesOf(inputs).map((entry) => ({ ...entry, network: 'network1' }))), inputs });

    assert.is(findingsOf(plan, 'ISM010')[0]?.severity, 'error');
    assert.is(plan.links[0]?.by, 'nothing');
  });

  test('join two clusters flat and a third behind its gateway', () => {
    const inputs = [cluster('c1', '10.1.0.0/16', primary()), cluster('c2', '10.2.0.0/16'), cluster('c3', '10.1.0.0/16')];

    const plan = planMesh({ mesh: mesh(namesOf(inputs)), inputs });

    assert.equal(networksOf(plan), ['c1 network1', 'c2 network1', 'c3 network-c3']);
    assert.equal(
      plan.links.map(({ by }) => by),
      ['routes', 'gateways', 'gateways'],
    );
    assert.equal(
      plan.clusters.map(({ releases }) => releases.map(({ name }) => name)),
      [
        ['istio-ilb', 'eastwest-gateway', 'route-installer'],
        ['route-installer', 'istio-remote', 'eastwest-gateway'],
        ['istio-remote', 'eastwest-gateway'],
      ],
    );
    assert.equal(releaseOf(plan, 'c2', 'istio-remote').waitsFor, ['address of istiod-ilb in c1']);
    assert.equal(releaseOf(plan, 'c3', 'istio-remote').waitsFor, ['address of istio-eastwestgateway in c1']);
  });

  test('follow the istiod of the primary, and remotes that are flat with it join that network', () => {
    const inputs = [cluster('c1', '10.1.0.0/16', primary('vpc-a')), cluster('c2', '10.2.0.0/16'), cluster('c3', '10.1.0.0/16')];

    const plan = planMesh({ mesh: mesh(namesOf(inputs)), inputs });

    assert.equal(networksOf(plan), ['c1 vpc-a', 'c2 vpc-a', 'c3 network-c3']);
    assert.is(clusterOf(plan, 'c1').networkReason, 'the network of its istiod');
  });

  test('are no way out for Istio 0.8: what overlaps is an error, and other networks are not joined', () => {
    const classic = { istio: { version: '0.8.0' } };
    const inputs = [cluster('c1', '10.1.0.0/16'), cluster('c2', '10.1.0.0/16')];

    const flat = planMesh({ mesh: mesh(namesOf(inputs), classic), inputs });
    const apart = planMesh({ mesh: mesh([{ name: 'c1' }, { name: 'c2', network: 'b' }], classic), inputs });

    assert.is(findingsOf(flat, 'ISM010')[0]?.severity, 'error');
    assert.is(findingsOf(apart, 'ISM053')[0]?.severity, 'warning');
    assert.is(apart.links[0]?.by, 'nothing');
    assert.not.ok(apart.clusters.some(({ releases }) => releases.some(({ chart }) => chart === 'eastwest-gateway')));
  });

  test('of their own never get a name that another cluster was given', () => {
    const inputs = [cluster('c1', '10.1.0.0/16', primary()), cluster('c2', '10.1.0.0/16'), cluster('c3', '10.3.0.0/16')];

    const plan = planMesh({ mesh: mesh([{ name: 'c1' }, { name: 'c2' }, { name: 'c3', network: 'network-c2' }]), inputs });

    assert.equal(networksOf(plan), ['c1 network1', 'c2 network-c2-2', 'c3 network-c2']);
  });
});

describe('networks of random clusters', ({ test }) => {
  const names = ['c1', 'c2', 'c3', 'c4', 'c5'];
  const meshes = fc.record({
    cidrs: fc.array(fc.constantFrom('10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16'), { minLength: 5, maxLength: 5 }),
    flat: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
    written: fc.array(fc.constantFrom(undefined, undefined, 'network1', 'vpc'), { minLength: 5, maxLength: 5 }),
    count: fc.integer({ min: 2, max: 5 }),
  });
  type Random = typeof meshes extends fc.Arbitrary<infer T> ? T : never;

  const entriesOf = ({ written, count }: Random) =>
    names.slice(0, count).map((name, index) => {
      const network = written[index];
      return { name, role: index === 0 ? 'primary' : 'remote', ...(network === undefined ? {} : { network }) };
    });
  const inputsOf = ({ cidrs, flat, count }: Random) =>
    names.slice(0, count).map((name, index) => {
      const cni = { value: { name: 'cilium', encapsulation: 'vxlan', flat: flat[index] ?? true }, source: '' };
      return cluster(name, cidrs[index] ?? '', { cni, ...(index === 0 ? primary() : {}) });
    });
  const planOf = (random: Random) => planMesh({ mesh: mesh(entriesOf(random)), inputs: inputsOf(random) });

  test('hold only clusters that routes join, unless mesh.yaml wrote them so', () => {
    fc.assert(
      fc.property(meshes, (random) => {
        const plan = planOf(random);
        for (const { clusters, by } of plan.links) {
          const [a, b] = clusters.map((name) => clusterOf(plan, name));
          const given = clusters.every((name) => !clusterOf(plan, name).networkReason.includes('flat'));
          if (a?.network !== b?.network) assert.is(by, 'gateways');
          else if (!given) assert.is(by, 'routes');
        }
      }),
      { seed: 11, numRuns: 200 },
    );
  });

  test('do not depend on the order of mesh.yaml', () => {
    fc.assert(
      fc.property(meshes, fc.integer(), (random, seed) => {
        const shuffled = entriesOf(random).sort((a, b) => ((a.name.charCodeAt(1) * seed) % 7) - ((b.name.charCodeAt(1) * seed) % 7));

        const plan = planMesh({ mesh: mesh(shuffled), inputs: inputsOf(random) });

        assert.equal(networksOf(plan).sort(), networksOf(planOf(random)).sort());
      }),
      { seed: 12, numRuns: 100 },
    );
  });

  test('are joined by a gateway in every cluster where there are several, and by none where there is one', () => {
    fc.assert(
      fc.property(meshes, (random) => {
        const plan = planOf(random);
        const several = new Set(plan.clusters.map(({ network }) => network)).size > 1;
        for (const { releases } of plan.clusters)
          assert.is(releases.filter(({ chart }) => chart === 'eastwest-gateway').length, several ? 1 : 0);
        const routed = plan.links.some(({ by }) => by === 'routes');
        assert.is(
          plan.clusters.some(({ releases }) => releases.some(({ chart }) => chart === 'route-installer')),
          routed,
        );
      }),
      { seed: 13, numRuns: 100 },
    );
  });
});

describe('east-west gateways', ({ test }) => {
  const planApart = (change: Parameters<typeof planPair>[0] = {}) => planPair({ ...change, remote: { network: 'b', ...change.remote } });

  test('expose istiod and services in the primary, and nothing of their own in the remote', () => {
    const plan = planApart();

    const [one, two] = ['cluster1', 'cluster2'].map((name) => releaseOf(plan, name, 'eastwest-gateway'));
    assert.equal(one?.values.expose, { services: true, istiod: true });
    assert.equal(two?.values.expose, { services: false, istiod: false });
    assert.equal(
      one?.service.ports.map(({ port }) => port),
      [15021, 15443, 15012, 15017],
    );
    assert.equal(
      two?.service.ports.map(({ port }) => port),
      [15021, 15443],
    );
  });

  test('are internal as the platform of their cluster wants it, with the address that mesh.yaml gives', () => {
    const loadBalancer = { platform: 'azure', addresses: { 'istio-eastwestgateway': '192.168.1.200' } };

    const plan = planApart({ remote: { loadBalancer }, primary: { loadBalancer: { platform: 'gke' } } });

    assert.equal(releaseOf(plan, 'cluster2', 'eastwest-gateway').values.service.annotations, {
      'service.beta.kubernetes.io/azure-load-balancer-health-probe-protocol': 'tcp',
      'service.beta.kubernetes.io/azure-load-balancer-internal': 'true',
      'service.beta.kubernetes.io/azure-load-balancer-ipv4': '192.168.1.200',
    });
    assert.is(
      releaseOf(plan, 'cluster1', 'eastwest-gateway').values.service.annotations['networking.gke.io/load-balancer-type'],
      'Internal',
    );
  });

  test('give the remote its control plane, and wait with it', () => {
    const service = { namespace: 'istio-system', name: 'istio-eastwestgateway', addresses: ['192.168.1.50'], hostnames: [], requested: [] };

    const before = planApart();
    const after = planApart({ one: { services: [service] } });

    assert.equal(releaseOf(before, 'cluster2', 'istio-remote').waitsFor, ['address of istio-eastwestgateway in cluster1']);
    assert.equal(releaseOf(before, 'cluster2', 'eastwest-gateway').waitsFor, ['address of istio-eastwestgateway in cluster1']);
    assert.equal(releaseOf(after, 'cluster2', 'istio-remote').values.remotePilotAddresses, ['192.168.1.50']);
    assert.equal(releaseOf(after, 'cluster2', 'eastwest-gateway').waitsFor, []);
  });

  test('are not asked for an address that mesh.yaml gives to the remote', () => {
    const plan = planApart({ remote: { remotePilotAddress: '192.168.1.77' } });

    assert.equal(releaseOf(plan, 'cluster2', 'istio-remote').values.remotePilotAddresses, ['192.168.1.77']);
    assert.equal(releaseOf(plan, 'cluster2', 'istio-remote').waitsFor, []);
  });

  test('need an istiod that names its network to sidecars', () => {
    const plan = planApart({
      one: { istio: { ...istio('cluster1'), revisions: istio('cluster1').revisions.map(({ network: _, ...rest }) => rest) } },
    });

    assert.match(findingsOf(plan, 'ISM073')[0]?.message ?? '', 'it names no network for its sidecars, and this one is network1');
  });

  test('leave no setting of a load balancer without effect unsaid', () => {
    const plan = planPair({ remote: { loadBalancer: { platform: 'aws' } } });

    assert.is(findingsOf(plan, 'ISM068')[0]?.cluster, 'cluster2');
    assert.equal(findingsOf(planApart({ remote: { loadBalancer: { platform: 'aws' } } }), 'ISM068'), []);
  });

  test('refuse one address for both load balancers of a primary', () => {
    const inputs = [cluster('c1', '10.1.0.0/16', primary()), cluster('c2', '10.2.0.0/16'), cluster('c3', '10.1.0.0/16')];
    const addresses = { 'istiod-ilb': '192.168.1.60', 'istio-eastwestgateway': '192.168.1.60' };

    const plan = planMesh({ mesh: mesh([{ name: 'c1', loadBalancer: { addresses } }, { name: 'c2' }, { name: 'c3' }]), inputs });

    assert.is(findingsOf(plan, 'ISM061')[0]?.message, 'istiod-ilb and istio-eastwestgateway all ask for 192.168.1.60.');
  });
});

describe('several primaries', ({ test }) => {
  const three = (change: Partial<ClusterFacts> = {}) => [
    cluster('c1', '10.1.0.0/16', primary()),
    cluster('c2', '10.2.0.0/16', { istio: istio('c2'), ...change }),
    cluster('c3', '10.3.0.0/16'),
  ];
  const primaries = [{ name: 'c1' }, { name: 'c2', role: 'primary' }];

  test('read each other and every remote, and are read through accounts of their own', () => {
    const plan = planMesh({ mesh: mesh([...primaries, { name: 'c3', role: 'remote', controlPlane: 'c2' }]), inputs: three() });

    assert.equal(
      plan.clusters.map(({ remoteSecrets }) => remoteSecrets.map(({ remote, serviceAccount }) => `${remote} ${serviceAccount}`)),
      [['c2 isthmus-reader', 'c3 istio-reader-service-account'], ['c1 isthmus-reader', 'c3 istio-reader-service-account'], []],
    );
    assert.equal(
      plan.clusters.map(({ releases }) => releases.map(({ name }) => name)),
      [
        ['route-installer', 'istio-reader'],
        ['istio-ilb', 'route-installer', 'istio-reader'],
        ['route-installer', 'istio-remote'],
      ],
    );
    assert.equal(clusterOf(plan, 'c3').namespaces[0]?.annotations, { 'topology.istio.io/controlPlaneClusters': 'c2' });
    assert.not.ok(plan.findings.some(({ severity }) => severity === 'error'));
  });

  test('serve the remotes of their own network, where the remotes name none', () => {
    const inputs = three({ istio: istio('c2', { network: 'vpc-2' }) });

    const plan = planMesh({ mesh: mesh([...primaries, { name: 'c3', role: 'remote', network: 'vpc-2' }]), inputs });

    assert.is(clusterOf(plan, 'c3').controlPlane, 'c2');
    assert.equal(releaseOf(plan, 'c3', 'istio-remote').waitsFor, ['address of istiod-ilb in c2']);
  });

  test('of one network leave it to the user which of them serves a remote', () => {
    const plan = planMesh({ mesh: mesh([...primaries, { name: 'c3', role: 'remote' }]), inputs: three() });

    assert.is(findingsOf(plan, 'ISM076')[0]?.message, 'It is not clear which primary serves it.');
  });

  test('need no EXTERNAL_ISTIOD where they serve no remote, but the right names', () => {
    const revision = { env: { CLUSTER_ID: 'Kubernetes' } };

    const plan = planMesh({ mesh: mesh(primaries), inputs: three({ istio: istio('c2', revision) }).slice(0, 2) });

    assert.equal(findingsOf(plan, 'ISM072'), []);
    assert.match(findingsOf(plan, 'ISM073')[0]?.message ?? '', 'Istio calls this cluster Kubernetes, mesh.yaml c2');
  });

  test('without an istiod get routes, and no gateway', () => {
    const found = (podCIDR: string) => {
      const plan = planMesh({ mesh: mesh(primaries), inputs: [cluster('c1', '10.1.0.0/16', primary()), cluster('c2', podCIDR)] });
      return [plan, findingsOf(plan, 'ISM076').map(({ cluster: name, severity, message }) => [name, severity, message])] as const;
    };

    const [flat, flatFindings] = found('10.2.0.0/16');
    const [, apartFindings] = found('10.1.0.0/16');

    assert.equal(flatFindings, [['c2', 'warning', 'It is a primary, and no istiod was found in it; it gets routes only.']]);
    assert.equal(
      flat.clusters.map(({ releases, remoteSecrets }) => [releases.map(({ name }) => name), remoteSecrets]),
      [
        [['route-installer'], []],
        [['route-installer'], []],
      ],
    );
    assert.equal(apartFindings, [['c2', 'error', 'It is a primary, and no istiod was found in it, which its gateway needs.']]);
  });
});
