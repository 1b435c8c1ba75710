// Two empty clusters in two networks, for meshes with an Istio of their own, one root of trust and east-west gateways.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeObject } from '../../src/base/objects.ts';
import { parseYaml, toYaml } from '../../src/base/yaml.ts';
import { startLoadBalancer } from '../lab/load-balancer.ts';
import { putAll } from '../lab/objects.ts';
import { istioCharts } from '../lab/toolchain.ts';
import { startOwnIstiod } from './own-istiod.ts';
import { type Scene, startScene } from './scene.ts';

export const gatewayAddress = '9.111.255.5';

export interface MeshFile {
  readonly istio: Record<string, unknown>;
  readonly clusters: readonly Record<string, unknown>[];
}

/** Starts the clusters with load balancers, and with an istiod wherever a mesh installs one. */
export async function startGatewayScene(): Promise<Scene> {
  const scene = await startScene({ empty: true, webhooks: false });
  const { primary, remote } = scene;
  for (const { client } of scene.clusters) await putAll(client, onlyInjected);
  const standIns = [
    startLoadBalancer(remote.client, ['9.111.255.201', '9.111.255.202']),
    startOwnIstiod(primary, [remote]),
    startOwnIstiod(remote, [primary]),
  ];
  return {
    ...scene,
    stop: async () => {
      await Promise.all(standIns.map((each) => each.stop()));
      await scene.stop();
    },
  };
}

/** Writes mesh.yaml for two networks, a primary that isthmus installs, and its root of trust in the folder `ca`. */
export async function writeMesh(scene: Scene, edit: (mesh: MeshFile) => void): Promise<void> {
  await scene.writeMesh();
  const file = join(scene.folder, 'mesh.yaml');
  const mesh = parseYaml(readFileSync(file, 'utf8'), file).value as MeshFile;
  Object.assign(mesh.istio, { install: true, charts: await istioCharts(), ca: 'ca' });
  const balanced = { platform: 'keepalived' };
  Object.assign(mesh.clusters[0] ?? {}, { network: 'network1', apiServer: 'https://9.111.255.21:6443', loadBalancer: balanced });
  Object.assign(mesh.clusters[1] ?? {}, { network: 'network2', loadBalancer: balanced });
  edit(mesh);
  writeFileSync(file, toYaml(mesh));
}

/** Generates the mesh and makes a bundle of it; its archive `<name>.isthmus.tgz`, and the folder where it is unpacked. */
export async function makeBundle(scene: Scene, name: string): Promise<{ readonly archive: string; readonly bundle: string }> {
  const archive = `${name}.isthmus.tgz`;
  await scene.isthmus('helm4', 'ca', 'init', 'mesh.yaml');
  await scene.isthmus('helm4', 'generate', '--out', name);
  await scene.isthmus('helm4', 'bundle', name, '--out', archive);
  const bundle = join(scene.folder, `${name}-bundle`);
  mkdirSync(bundle);
  execFileSync('tar', ['-xzf', join(scene.folder, archive), '-C', bundle]);
  return { archive, bundle };
}

/** What ReplicaSets of Istio's namespace could not make, because nobody injected it: a gateway came too early. */
export async function refusedPods(scene: Scene): Promise<string[]> {
  const lists = scene.clusters.map(async ({ name, client }) =>
    ((await client.list('/api/v1/namespaces/istio-system/events')) as Event[])
      .filter(({ reason }) => reason === 'FailedCreate')
      .map(({ message }) => `${name}: ${message}`),
  );
  return (await Promise.all(lists)).flat();
}

interface Event extends KubeObject {
  readonly reason: string;
  readonly message: string;
}

/** Pods that ask for injection are made where the root of an istiod is published, and nowhere else: without istiod nobody injects them. */
const onlyInjected: readonly KubeObject[] = [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'only-injected' },
    spec: {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      matchConstraints: {
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        objectSelector: { matchLabels: { 'sidecar.istio.io/inject': 'true' } },
      },
      validations: [{ expression: 'true' }],
    },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'only-injected' },
    spec: {
      policyName: 'only-injected',
      validationActions: ['Deny'],
      paramRef: { name: 'istio-ca-root-cert', namespace: 'istio-system', parameterNotFoundAction: 'Deny' },
    },
  },
];
