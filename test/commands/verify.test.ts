// isthmus verify through the command line: what it prints, and its exit codes.
import { runProgram } from '../../src/commands/program.ts';
import { installation, out, releaseIndex } from '../helpers/installation.ts';
import { assert, describe } from '../helpers/suite.ts';
import { createWorld, type World } from '../verify/world.ts';

const image = { registry: 'mirror.example:5000', repository: 'istio/proxyv2', tag: '1.30.3', digest: '', pullPolicy: 'Always' };
const values = (cluster: string) => ({
  [`${out}/clusters/${cluster}/route-installer/values.yaml`]: `clusterName: ${cluster}\nimage: ${JSON.stringify(image)}\nimagePullSecrets: [{name: mirror}]\n`,
});

const mesh = `apiVersion: isthmus/v1
kind: Mesh
metadata: {name: bookinfo}
istio: {version: 1.30.3}
clusters:
  - {name: cluster1, role: primary, context: one}
  - {name: cluster2, role: remote, context: two}
`;

async function verified(world: World, argv: readonly string[] = [], index = releaseIndex()) {
  const files = { [`${out}/mesh.yaml`]: mesh, ...values('cluster1'), ...values('cluster2') };
  const system = installation({ clusters: { one: world.one, two: world.two }, files, index });
  const code = await runProgram(system, ['verify', 'out', ...argv]);
  return { code, ...system.output() };
}

describe('isthmus verify', ({ test }) => {
  test('shows that every pair works, layer by layer and node by node', async () => {
    const { code, out: text, err } = await verified(createWorld());

    assert.is(code, 0);
    assert.is(
      text,
      `Mesh bookinfo: all 2 ordered pairs of clusters work

  from      to        cluster   routes    pods       control plane
  cluster1  cluster2  2 passed  4 passed  16 passed  -
  cluster2  cluster1  2 passed  4 passed  16 passed  1 passed

  from node    to node      ping    tcp     source address  full-size packets
  cluster1/n1  cluster2/n1  passed  passed  passed          passed
  cluster1/n1  cluster2/n2  passed  passed  passed          passed
  cluster1/n2  cluster2/n1  passed  passed  passed          passed
  cluster1/n2  cluster2/n2  passed  passed  passed          passed
  cluster2/n1  cluster1/n1  passed  passed  passed          passed
  cluster2/n1  cluster1/n2  passed  passed  passed          passed
  cluster2/n2  cluster1/n1  passed  passed  passed          passed
  cluster2/n2  cluster1/n2  passed  passed  passed          passed
`,
    );
    assert.match(err, 'cluster1      verify                        2 of 2 probe pods listen');
  });

  test('names the broken layer and what to do, with exit code 3', async () => {
    const world = createWorld();
    world.network = (from, to) => (`${from} ${to}` === 'one/n1 two/n2' ? { source: '10.0.0.7' } : {});

    const { code, out: text } = await verified(world);

    assert.is(code, 3);
    assert.match(text, 'Mesh bookinfo: 1 of 2 ordered pairs of clusters do not work');
    assert.match(text, /cluster1 {2}cluster2 {2}2 passed {2}4 passed {2}1 of 16 failed/);
    assert.match(text, /cluster1\/n1 {2}cluster2\/n2 {2}passed {2}passed {2}failed/);
    assert.match(text, /Failed\n {2}pods {2}cluster1\/n1 to cluster2\/n2 {2}source address {2}10\.1\.1\.\d+ arrives as 10\.0\.0\.7\n/);
    assert.match(text, 'isthmus explain ISM050');
  });

  test('gives programs every check', async () => {
    const { code, out: text } = await verified(createWorld(), ['-o', 'json']);

    const value = JSON.parse(text);
    assert.is(code, 0);
    assert.is(value.kind, 'VerifyResult');
    assert.equal(value.pairs[0].layers[2], { name: 'pods', outcome: 'passed', passed: 16, failed: 0, skipped: 0 });
    assert.equal(value.checks[6], {
      layer: 'pods',
      name: 'ping',
      from: { cluster: 'cluster1', node: 'n1' },
      to: { cluster: 'cluster2', node: 'n1' },
      outcome: 'passed',
    });
    assert.equal(value.left, []);
  });

  test("uses the image of the chart's values, and another one when told so", async () => {
    const world = createWorld();

    await verified(world);
    const spec = world.made[0]?.pod['spec'] as { containers: { image: string; imagePullPolicy: string }[]; imagePullSecrets: unknown };
    assert.is(spec.containers[0]?.image, 'mirror.example:5000/istio/proxyv2:1.30.3');
    assert.is(spec.containers[0]?.imagePullPolicy, 'Always');
    assert.equal(spec.imagePullSecrets, [{ name: 'mirror' }]);

    const other = createWorld();
    await verified(other, ['--image', 'tools.example/tools:1']);
    assert.match(JSON.stringify(other.made[0]?.pod), '"image":"tools.example/tools:1"');
  });

  test('gives its pods to the Lease, so that uninstall takes away what a killed run left', async () => {
    const world = createWorld();

    await verified(world);

    const owners = world.made.map(({ pod }) => (pod.metadata as { ownerReferences?: readonly unknown[] }).ownerReferences?.[0]);
    const uid = world.one.find('Lease', 'isthmus')?.metadata.uid;
    assert.equal(owners[0], { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: 'isthmus', uid });
    assert.not(owners.includes(undefined));
  });

  test('says which cluster is not the one that was planned for', async () => {
    const world = createWorld();
    world.two.add({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system', uid: 'other' } });
    world.two.remove({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } });

    const { code, out: text } = await verified(world);

    assert.is(code, 3);
    assert.match(text, 'leads to another cluster than the one that was planned for');
    assert.equal(world.made, []);
  });

  const apart = () => {
    const index = releaseIndex();
    return { ...index, clusters: index.clusters.map((cluster) => ({ ...cluster, network: `net-${cluster.name}` })) };
  };
  const metadata = { name: 'istio-eastwestgateway', namespace: 'istio-system' };
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 2 }, status: { availableReplicas: 2 } };
  const service = (ingress: readonly object[]) => ({ apiVersion: 'v1', kind: 'Service', metadata, status: { loadBalancer: { ingress } } });

  test('looks at the gateways of clusters in different networks, and for no routes', async () => {
    const world = createWorld();
    for (const cluster of [world.one, world.two]) cluster.add(deployment, service([{ ip: '10.0.0.5' }]));

    const { code, out: text } = await verified(world, [], apart());

    assert.is(code, 0);
    assert.match(text, 'all 2 ordered pairs of clusters work');
    assert.match(text, /cluster1 +cluster2 +2 passed +4 passed/);
    assert.match(
      text,
      'cluster1 and cluster2 are in different networks: pods reach each other through gateways, so there are no routes to look at.',
    );
    assert.equal(world.made, []);
  });

  test('names a gateway that is not there, not ready, or without an address', async () => {
    const world = createWorld();
    world.two.add({ ...deployment, status: {} }, service([]));

    const { code, out: text } = await verified(world, [], apart());

    assert.is(code, 3);
    assert.match(text, 'there is no Deployment istio-eastwestgateway');
    assert.match(text, 'no pod is ready');
    assert.match(text, 'no load balancer gave it an address');
  });

  test('waits for nobody who is at work: the Lease of another run stops it', async () => {
    const world = createWorld();
    let renewals = 0;
    const lease = (second: number) => ({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'isthmus', namespace: 'isthmus-system' },
      spec: { holderIdentity: 'someone', renewTime: `2026-01-01T00:00:0${second}.000000Z`, leaseDurationSeconds: 30 },
    });
    const run = world.one.intercept;
    world.one.intercept = (request) => {
      if (request.endsWith('/leases/isthmus')) world.one.add(lease(++renewals));
      return run(request);
    };

    let message = '';
    await verified(world).catch((error: Error) => {
      message = error.message;
    });

    assert.match(message, 'another run of isthmus is at work: someone');
    assert.equal(world.made, []);
  });
});
