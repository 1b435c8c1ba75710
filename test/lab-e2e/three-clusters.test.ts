// One primary and two remotes, one of which has nodes with the names of the primary's: what is told apart by cluster must be.
import type { KubeObject } from '../../src/base/objects.ts';
import { settledContents } from '../e2e/state.ts';
import { assert, describe } from '../helpers/suite.ts';
import { istioHub } from '../lab/istio-images.ts';
import type { RealCluster } from '../lab/nodes/cluster.ts';
import { labImages } from '../lab/nodes/images.ts';
import { startIstioLab } from '../lab/nodes/istio-lab.ts';
import { startProbes } from '../lab/nodes/probes.ts';
import { type ClusterShape, meshShape } from '../lab/nodes/shape.ts';
import { waitFor } from '../lab/wait.ts';
import { changesOf, dumpAll, expectUntouched, plannedChanges } from './changes.ts';
import { complaintsBetween } from './routed.ts';
import { prepareScene } from './scene.ts';
import { readVerification } from './verification.ts';

const minutes = (count: number) => ({ timeoutMs: count * 60_000 });

describe('three clusters, two of them with the same names of nodes', ({ test, ...hooks }) => {
  const scene = prepareScene(hooks, {
    helm: 'helm3',
    start: async () => {
      const lab = await startIstioLab({ say: console.log, shape: twinShape() });
      await Promise.all(lab.clusters.map(startProbes));
      return lab;
    },
    look: async (lab) => ({ objects: await settledContents(lab), dumps: await dumpAll(lab) }),
  });

  test(
    'are joined by one install: every node gets the routes to the other two clusters, and nothing else',
    async () => {
      const { lab, operator, untouched } = scene();
      assert.equal([...(lab.clusters[2]?.nodes.keys() ?? [])], [...(lab.clusters[0]?.nodes.keys() ?? [])]);
      await operator.writeMesh((mesh) => {
        Object.assign(mesh.istio, { hub: istioHub });
        Object.assign(mesh.clusters[0] ?? {}, { loadBalancer: { platform: 'keepalived' } });
        mesh.routes = { image: labImages.tools };
      });
      await operator.isthmus('generate', '--out', 'out');

      await operator.isthmus('install', 'out');

      const changes = changesOf(untouched.dumps, await dumpAll(lab)).filter((line) => line.includes(': + routes: unicast '));
      assert.equal(changes, plannedChanges(lab));
    },
    minutes(4),
  );

  test('let every pod reach every pod of every other cluster, with its own address and packets of full size', async () => {
    const { lab, operator } = scene();

    assert.equal(await complaintsBetween(lab, operator.run), []);
  });

  test(
    'pass isthmus verify, which tries every pair of nodes both ways',
    async () => {
      const { lab, operator } = scene();
      const outcome = await operator.isthmus('verify', 'out', '-o', 'json');

      const { pairs, passed } = readVerification(outcome);
      const ordered = lab.clusters.flatMap((from) =>
        lab.clusters.filter((to) => to !== from).map((to) => `${from.name} ${to.name} passed`),
      );
      assert.equal(pairs, ordered.sort());
      assert.is(new Set(passed).size, 3 * 2 * (2 * 2) * 4, passed.join('\n'));
    },
    minutes(3),
  );

  test(
    'are one mesh: istiod of the primary has read both remotes, and both get their sidecars from it',
    async () => {
      const { lab, operator } = scene();
      const [primary, ...remotes] = lab.clusters;
      await waitFor('istiod to have read both remotes', async () => {
        const listed = await operator.run('istioctl', '--context', primary?.name ?? '', 'remote-clusters');
        return lab.clusters.every(({ name }) => new RegExp(`^${name} .* synced `, 'm').test(listed));
      });

      for (const remote of remotes) assert.ok((await containersOf(remote)).includes('istio-proxy'), remote.name);
    },
    minutes(2),
  );

  test(
    'are as before after uninstall: every object, label, route, rule and address',
    async () => {
      const { lab, operator, untouched } = scene();
      await operator.isthmus('uninstall', 'out');

      await expectUntouched(lab, untouched);
    },
    minutes(4),
  );
});

/** The nodes of the third cluster are called like those of the first. */
function twinShape(): ClusterShape[] {
  const shapes = meshShape({ clusters: 3, nodes: 2 });
  const names = shapes[0]?.nodes.map(({ name }) => name) ?? [];
  return shapes.map((shape, index) =>
    index === 2 ? { ...shape, nodes: shape.nodes.map((node, position) => ({ ...node, name: names[position] ?? '' })) } : shape,
  );
}

/** Containers of a pod that is made in a namespace with injection, as the API server would store it; nothing is stored. */
async function containersOf({ client }: RealCluster): Promise<string[]> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'newcomer', namespace: 'default', labels: { 'sidecar.istio.io/inject': 'true' } },
    spec: { containers: [{ name: 'app', image: labImages.app }] },
  };
  const made = (await client.create('/api/v1/namespaces/default/pods?dryRun=All', pod)) as PodObject;
  return [...(made.spec.initContainers ?? []), ...made.spec.containers].map(({ name }) => name);
}

interface PodObject extends KubeObject {
  readonly spec: {
    readonly initContainers?: readonly { readonly name: string }[];
    readonly containers: readonly { readonly name: string }[];
  };
}
