// The main job through the built CLI on two real API servers: from init to uninstall, with both majors of helm.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KubeObject } from '../../src/base/objects.ts';
import { parseYaml, parseYamlStream } from '../../src/base/yaml.ts';
import { helms } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';
import { originalClusters } from '../lab/load.ts';
import { putAll } from '../lab/objects.ts';
import { waitFor } from '../lab/wait.ts';
import { balancedAddresses, environment, objectAt, releasesOf, type Scene, startScene } from './scene.ts';
import { allVersions, contents, differences, settledContents } from './state.ts';

const run = promisify(execFile);
const minute = { timeoutMs: 180_000 };

describe('a mesh of two real API servers', ({ test, before, after }) => {
  let scene: Scene;
  let untouched: ReadonlyMap<string, unknown>;

  before(async () => {
    scene = await startScene();
    untouched = await settledContents(scene);
  });
  after(() => scene?.stop());

  test('is described by init, whose file names what was found', async () => {
    await scene.writeMesh();

    const mesh = parseYaml(readFileSync(join(scene.folder, 'mesh.yaml'), 'utf8'), 'mesh.yaml').value as MeshFile;
    assert.is(mesh.istio.version, '1.30.3');
    assert.equal(
      mesh.clusters.map(({ name, role, context }) => [name, role, context]),
      [
        ['cluster1', 'primary', 'cluster1'],
        ['cluster2', 'remote', 'cluster2'],
      ],
    );
  });

  test('is inspected without a write, into facts that work without the clusters', async () => {
    await scene.isthmus('helm4', 'inspect', '--out', 'facts');

    const facts = parseYaml(readFileSync(join(scene.folder, 'facts', 'cluster2.yaml'), 'utf8'), 'facts').value as FactsFile;
    assert.equal(
      facts.nodes.flatMap(({ name, blocks }) => blocks.map(({ cidr }) => `${name} ${cidr}`)).sort(),
      originalClusters.cluster2.nodes.flatMap(({ name, blocks }) => blocks.map((cidr) => `${name} ${cidr}`)).sort(),
    );
    assert.equal(differences(untouched, await contents(scene)), []);
  });

  test('is planned with the routes of the original procedure', async () => {
    const { stdout } = await scene.isthmus('helm4', 'plan', '-o', 'json');

    const plan = JSON.parse(stdout) as PlanFile;
    assert.equal(routesOf(plan, 'cluster2'), expectedRoutes('cluster1'));
    assert.equal(routesOf(plan, 'cluster1'), expectedRoutes('cluster2'));
    assert.equal(
      plan.findings.filter(({ severity }) => severity === 'error'),
      [],
    );
  });

  for (const helm of helms) {
    test(
      `is installed by ${helm}`,
      async () => {
        await scene.isthmus(helm, 'generate', '--out', 'out', '--overwrite');
        await scene.isthmus(helm, 'install', 'out');

        await expectPrimary(scene);
        await expectRemote(scene);
      },
      minute,
    );

    test(
      `is left alone by a second install with ${helm}`,
      async () => {
        await settledContents(scene);
        const before = await allVersions(scene);

        await scene.isthmus(helm, 'install', 'out');

        assert.equal(differences(before, await allVersions(scene)), []);
      },
      minute,
    );

    test(
      `has charts that both API servers accept as ${helm} renders them`,
      async () => {
        const releases = releasesOf(scene);

        for (const { name, cluster, namespace, folder } of releases) {
          assert.ok(folder !== undefined, `${name} in ${cluster} still waits`);
          const args = ['template', name, join(scene.folder, 'out', folder ?? ''), '-n', namespace, '--kube-version', '1.34.4'];
          const { stdout } = await run(toolPath(helm), args, { env: environment(scene.folder, helm, []) });
          const objects = (parseYamlStream(stdout, folder ?? name) as KubeObject[]).map((object) => inNamespace(object, namespace));
          const { client } = cluster === 'cluster1' ? scene.primary : scene.remote;
          await putAll(client, objects, { dryRun: true });
        }

        assert.ok(releases.length >= 4, `${releases.length} releases`);
      },
      minute,
    );

    test(`shows the reader's token nowhere, with ${helm}`, async () => {
      const { data } = (await objectAt(scene.primary, remoteSecret)) as KubeObject & { data: { cluster2: string } };
      const token = /token: "?([\w.-]+)/.exec(Buffer.from(data.cluster2, 'base64').toString())?.[1] ?? '';

      const places = new Map([['output', scene.printed.join('')], ...filesBelow(join(scene.folder, 'out'))]);
      const encoded = Buffer.from(token).toString('base64');
      const leaks = [...places].filter(([, text]) => text.includes(token) || text.includes(encoded)).map(([place]) => place);

      assert.ok(token.length > 100, 'a token in the remote secret');
      assert.equal(leaks, []);
    });

    test(
      `is gone without a trace after uninstall with ${helm}`,
      async () => {
        await scene.isthmus(helm, 'uninstall', 'out');

        let left: string[] = [];
        await waitFor('both clusters to be as before', async () => {
          left = differences(untouched, await contents(scene));
          return left.length === 0;
        }).catch(() => undefined);
        assert.equal(left, []);
      },
      minute,
    );
  }
});

const remoteSecret = '/api/v1/namespaces/istio-system/secrets/istio-remote-secret-cluster2';

async function expectPrimary({ primary }: Scene): Promise<void> {
  const service = (await objectAt(primary, '/api/v1/namespaces/istio-system/services/istiod-ilb')) as ServiceObject;
  const secret = await objectAt(primary, remoteSecret);
  const pools = await primary.client.list('/apis/crd.projectcalico.org/v1/ippools');
  const keeper = (await objectAt(primary, '/apis/apps/v1/namespaces/isthmus-system/daemonsets/route-installer-keeper')) as DaemonSetObject;
  assert.equal(service.spec.ports.map(({ port }) => port).sort(), [15012, 15017]);
  assert.ok(balancedAddresses.includes(service.status.loadBalancer.ingress?.[0]?.ip ?? ''));
  assert.is(secret.metadata.labels?.['istio/multiCluster'], 'true');
  assert.equal(
    pools
      .map(({ spec }) => spec as PoolSpec)
      .filter(({ cidr }) => cidr === '20.1.0.0/16')
      .map(({ disabled, natOutgoing }) => [disabled, natOutgoing]),
    [[true, false]],
  );
  assert.is(keeper.status.numberReady, 3);
}

async function expectRemote({ primary, remote }: Scene): Promise<void> {
  const service = (await objectAt(primary, '/api/v1/namespaces/istio-system/services/istiod-ilb')) as ServiceObject;
  const slices = (await remote.client.list('/apis/discovery.k8s.io/v1/namespaces/istio-system/endpointslices')) as SliceObject[];
  const namespace = await objectAt(remote, '/api/v1/namespaces/istio-system');
  const webhooks = await remote.client.list('/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations');
  const jobs = (await remote.client.list('/apis/batch/v1/namespaces/isthmus-system/jobs')) as JobObject[];
  assert.equal(
    slices.flatMap(({ endpoints }) => endpoints.flatMap(({ addresses }) => addresses)),
    [service.status.loadBalancer.ingress?.[0]?.ip],
  );
  assert.is(namespace.metadata.labels?.['topology.istio.io/network'], 'network1');
  assert.is(namespace.metadata.annotations?.['topology.istio.io/controlPlaneClusters'], 'cluster1');
  assert.is(webhooks.length, 1);
  assert.equal(
    jobs.map(({ status }) => status.succeeded),
    [1, 1, 1],
  );
}

function expectedRoutes(owner: keyof typeof originalClusters): string[] {
  return originalClusters[owner].nodes.flatMap(({ address, blocks }) => blocks.map((dst) => `${dst} via ${address}`)).sort();
}

function routesOf(plan: PlanFile, cluster: string): string[] {
  const routes = plan.clusters.find(({ name }) => name === cluster)?.routes ?? [];
  return routes.map(({ dst, via }) => `${dst} via ${via}`).sort();
}

/** helm puts an object without a namespace into that of the release; cluster-wide kinds stay outside. */
function inNamespace(object: KubeObject, namespace: string): KubeObject {
  const clusterWide = /^(ClusterRole|ClusterRoleBinding|MutatingWebhookConfiguration|IPPool|Namespace)$/.test(object.kind);
  return clusterWide ? object : { ...object, metadata: { namespace, ...object.metadata } };
}

function filesBelow(folder: string): [string, string][] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path, readFileSync(path, 'utf8')]);
}

interface MeshFile {
  readonly istio: { readonly version: string };
  readonly clusters: readonly { readonly name: string; readonly role: string; readonly context: string }[];
}

interface FactsFile {
  readonly nodes: readonly { readonly name: string; readonly blocks: readonly { readonly cidr: string }[] }[];
}

interface PlanFile {
  readonly clusters: readonly { readonly name: string; readonly routes: readonly { readonly dst: string; readonly via: string }[] }[];
  readonly findings: readonly { readonly severity: string }[];
}

interface ServiceObject extends KubeObject {
  readonly spec: { readonly ports: readonly { readonly port: number }[] };
  readonly status: { readonly loadBalancer: { readonly ingress?: readonly { readonly ip: string }[] } };
}

interface DaemonSetObject extends KubeObject {
  readonly status: { readonly numberReady: number };
}

interface SliceObject extends KubeObject {
  readonly endpoints: readonly { readonly addresses: readonly string[] }[];
}

interface JobObject extends KubeObject {
  readonly status: { readonly succeeded?: number };
}

interface PoolSpec {
  readonly cidr: string;
  readonly disabled?: boolean;
  readonly natOutgoing?: boolean;
}
