// The lab itself: what the other end-to-end tests stand on.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '../../src/base/objects.ts';
import { assert, describe } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';
import { type Cluster, startCluster } from '../lab/cluster.ts';
import { removeFolders } from '../lab/folders.ts';
import { loadNodes, loadPrimary, originalClusters } from '../lab/load.ts';
import { startLoadBalancer } from '../lab/load-balancer.ts';
import { allObjects, contentOf, putAll, versions } from '../lab/objects.ts';
import { type Identity, isAlive } from '../lab/process.ts';
import { waitFor } from '../lab/wait.ts';

const shape = originalClusters.cluster1;

describe('the lab', ({ test, before, after }) => {
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster({ name: 'lab', serviceCIDR: shape.serviceCIDR });
  });
  after(() => cluster?.stop());

  test('has a context that kubectl can use', () => {
    const version = execFileSync(toolPath('kubectl'), ['--kubeconfig', cluster.kubeconfig, '--context', 'lab', 'get', '--raw', '/version']);

    assert.is(JSON.parse(version.toString()).gitVersion, 'v1.34.4');
  });

  test('holds the nodes and blocks of the original procedure', async () => {
    await loadNodes(cluster.client, shape);

    const affinities = await cluster.client.list('/apis/crd.projectcalico.org/v1/blockaffinities');
    assert.equal(
      affinities.map(({ spec }) => (spec as { cidr: string; node: string }).cidr).sort(),
      shape.nodes.flatMap(({ blocks }) => blocks).sort(),
    );
    await waitFor('nodes to be ready', async () => {
      const nodes = await cluster.client.list('/api/v1/nodes');
      return nodes.length === 3 && nodes.every(isReady);
    });
  });

  test('holds an Istio primary whose pod has an address of its node', async () => {
    await loadPrimary(cluster.client, { cluster: 'cluster1', meshID: 'mesh1', network: 'network1', version: '1.30.3' });

    const [pod] = (await cluster.client.list('/api/v1/namespaces/istio-system/pods?labelSelector=app%3Distiod')) as PodObject[];
    const block = shape.nodes.find(({ name }) => name === pod?.spec.nodeName)?.blocks[0]?.replace(/\.\d+\/26$/, '.');
    assert.ok(block !== undefined && pod?.status.podIP.startsWith(block), `${pod?.status.podIP} in ${block}`);
  });

  test('completes Jobs and runs DaemonSets', async () => {
    await putAll(cluster.client, [job, daemonSet]);

    await waitFor('the Job to succeed', async () => (await status('/apis/batch/v1/namespaces/default/jobs/once')).succeeded === 1);
    await waitFor(
      'the DaemonSet to be ready',
      async () => (await status('/apis/apps/v1/namespaces/default/daemonsets/always')).numberReady === 3,
    );
  });

  test('fills token Secrets of ServiceAccounts', async () => {
    const annotations = { 'kubernetes.io/service-account.name': 'default' };
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'token', namespace: 'default', annotations },
      type: 'kubernetes.io/service-account-token',
    };

    await putAll(cluster.client, [secret]);

    await waitFor(
      'the token',
      async () => ((await cluster.client.get('/api/v1/namespaces/default/secrets/token')) as { data?: { token?: string } }).data?.token,
    );
  });

  test('gives load balancers their addresses, the wanted one where there is one', async () => {
    const balancer = startLoadBalancer(cluster.client, ['9.111.255.200', '9.111.255.201']);
    await putAll(cluster.client, [service('a'), service('b', '9.111.255.200'), service('c')]);

    const addresses = await waitFor('three addresses', async () => {
      const found = await Promise.all(
        ['a', 'b', 'c'].map(async (name) => (await status(`/api/v1/namespaces/default/services/${name}`)).loadBalancer?.ingress?.[0]?.ip),
      );
      return found.includes(undefined) ? undefined : found;
    });
    await balancer.stop();

    assert.is(addresses[1], '9.111.255.200');
    assert.ok(addresses.includes('9.111.255.201'));
  });

  test('tells what was written and what it says', async () => {
    const before = await allObjects(cluster.client);
    const versionsBefore = await versions(cluster.client);
    const name = 'ConfigMap default/written';

    await putAll(cluster.client, [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'written', namespace: 'default' }, data: { a: '1' } },
    ]);

    const after = await allObjects(cluster.client);
    assert.equal(
      [...after.keys()].filter((key) => !before.has(key)),
      [name],
    );
    assert.equal(
      [...(await versions(cluster.client))].filter(([key, version]) => versionsBefore.get(key) !== version).map(([key]) => key),
      [name],
    );
    assert.not.ok(JSON.stringify(contentOf(after.get(name) as KubeObject)).includes('resourceVersion'));
  });

  test('leaves nothing behind', async () => {
    const other = await startCluster({ name: 'other', controllers: false });
    const parts = [...other.processes.values()];

    await other.stop();

    assert.not.ok(existsSync(other.folder));
    assert.is(parts.length, 2);
    assert.equal(
      parts.filter((part) => part.isAlive()).map(({ name }) => name),
      [],
    );
    assert.is((await cluster.client.request('GET', '/readyz')).status, 200);
  });

  test('dies with a program that is killed, and is cleared away later', async () => {
    const lab = mkdtempSync(join(tmpdir(), 'isthmus-orphans-'));
    const module = join(import.meta.dirname, '..', 'lab', 'cluster.ts');
    const source = `import { startCluster } from '${module}'; console.log((await startCluster({ name: 'orphan', controllers: false })).folder);`;
    const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ISTHMUS_LAB: lab },
    });
    const [line] = (await once(owner.stdout, 'data')) as [Buffer];
    const folder = line.toString().trim();
    const etcd = JSON.parse(readFileSync(join(folder, 'etcd.pid'), 'utf8')) as Identity;
    assert.ok(isAlive(etcd));

    owner.kill('SIGKILL');

    await waitFor('etcd to end', async () => !isAlive(etcd));
    assert.equal(await removeFolders(lab), [folder]);
    assert.equal(readdirSync(lab), []);
    rmdirSync(lab);
  });

  async function status(path: string): Promise<ObjectStatus> {
    return ((await cluster.client.get(path)) as { status: ObjectStatus }).status;
  }
});

interface ObjectStatus {
  readonly succeeded?: number;
  readonly numberReady?: number;
  readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] };
}

interface PodObject extends KubeObject {
  readonly spec: { readonly nodeName: string };
  readonly status: { readonly podIP: string };
}

const pod = { containers: [{ name: 'main', image: 'lab.local/nothing:1' }] };
const job: KubeObject = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'once', namespace: 'default' },
  spec: { template: { spec: { ...pod, restartPolicy: 'Never', nodeName: '9.111.255.21', hostNetwork: true } } },
};
const labels = { app: 'always' };
const daemonSet: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'always', namespace: 'default' },
  spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } },
};

function service(name: string, loadBalancerIP?: string): KubeObject {
  const wanted = loadBalancerIP === undefined ? {} : { loadBalancerIP };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { type: 'LoadBalancer', ports: [{ port: 80 }], ...wanted },
  };
}

function isReady(node: KubeObject): boolean {
  const { conditions = [] } = node['status'] as { conditions?: { type: string; status: string }[] };
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}
