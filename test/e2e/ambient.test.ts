// Ambient on real API servers with the real Gateway API and real istiods: refused without them, installed, found by the other cluster, gone again.
import type { KubeObject } from '../../src/base/objects.ts';
import { helms } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';
import type { Cluster } from '../lab/cluster.ts';
import { waitFor } from '../lab/wait.ts';
import { type AmbientScene, gatewayAddresses, startAmbientScene } from './ambient-scene.ts';
import { objectAt } from './scene.ts';
import { allVersions, contents, differences, expectNone, settledContents } from './state.ts';

const minutes = { timeoutMs: 240_000 };
const name = 'istio-eastwestgateway';
const collection = '/apis/gateway.networking.k8s.io/v1/namespaces/istio-system/gateways';
const gateway = `${collection}/${name}`;

interface Gateway extends KubeObject {
  readonly spec: {
    readonly listeners: readonly object[];
    readonly infrastructure: { readonly annotations: Readonly<Record<string, string>> };
  };
}

interface Service extends KubeObject {
  readonly spec: {
    readonly ports: readonly { readonly name: string; readonly port: number }[];
    readonly loadBalancerSourceRanges?: readonly string[];
  };
}

describe('ambient on real API servers', ({ test, before, after }) => {
  let scene: AmbientScene;
  let untouched: ReadonlyMap<string, unknown>;

  before(async () => {
    scene = await startAmbientScene();
  });
  after(() => scene?.stop());

  test(
    'is refused before anything is written where a cluster has no Gateway API, with the command that installs it',
    async () => {
      const { code, stderr } = await scene.run(helms[0], 'generate');

      assert.is(code, 3, stderr);
      assert.match(stderr, /ISM082 +cluster2/);
      assert.match(stderr, 'kubectl --context cluster2 apply --server-side -f https://github.com/kubernetes-sigs/gateway-api/releases/');
      assert.not.match(stderr, /ISM082 +cluster1/);
      await scene.completeTwo();
      untouched = await settledContents(scene);
    },
    minutes,
  );

  test(
    'is planned with gateways although routes could join the clusters, and told to be unproven',
    async () => {
      const { stdout } = await scene.isthmus(helms[0], 'plan');

      assert.match(stdout, /cluster1 +ambient-gateway +Service istio-eastwestgateway 15021 15008, internal/);
      assert.match(stdout, /warning +ISM083 +mesh +The gateways of ambient are made as Istio documents them; no test/);
      assert.not.match(stdout, 'error');
    },
    minutes,
  );

  for (const helm of helms) {
    test(
      `is installed by ${helm}: istiod makes internal load balancers of two pods from the Gateways`,
      async () => {
        await scene.isthmus(helm, 'generate', '--overwrite');
        const { stderr } = await scene.isthmus(helm, 'install');

        assert.match(stderr, /^cluster1 +ambient-gateway +installed.*\n +istio-eastwestgateway ready on 1 of 1$/m);
        for (const [cluster, address] of Object.entries(gatewayAddresses))
          assert.match(stderr, new RegExp(`^${cluster} +address of ${name} .*\\n +${address}$`, 'm'));
        const service = (await objectAt(scene.one, `/api/v1/namespaces/istio-system/services/${name}`)) as Service;
        assert.is(service.metadata.annotations?.['networking.gke.io/load-balancer-type'], 'Internal');
        assert.is(service.metadata.labels?.['topology.istio.io/network'], 'network1');
        assert.is(service.metadata.labels?.['app.kubernetes.io/managed-by'], undefined);
        assert.equal(service.spec.loadBalancerSourceRanges, ['9.111.255.0/24']);
        assert.equal(
          service.spec.ports.map(({ port }) => port),
          [15021, 15008],
        );
        const deployment = await objectAt(scene.one, `/apis/apps/v1/namespaces/istio-system/deployments/${name}`);
        assert.is((deployment as unknown as { spec: { replicas: number } }).spec.replicas, 2);
        await objectAt(scene.one, `/apis/policy/v1/namespaces/istio-system/poddisruptionbudgets/${name}`);
      },
      minutes,
    );

    test(
      `lets the istiod of one cluster find the gateway of the other after ${helm}, through the remote secret`,
      async () => {
        const wanted = `network2 ${gatewayAddresses.cluster2} 15008`;

        const found = await waitFor(wanted, async () => {
          const known = await scene.istiod.networkGateways();
          return known.find(({ Network, Addr, HBONEPort }) => `${Network} ${Addr} ${HBONEPort}` === wanted);
        });

        assert.is(found.Cluster, 'cluster2');
      },
      minutes,
    );

    test(
      `passes isthmus verify after ${helm}: each gateway has pods and an address`,
      async () => {
        const { stdout } = await scene.isthmus(helm, 'verify', 'out');

        assert.match(stdout, 'all 2 ordered pairs of clusters work');
        assert.match(stdout, 'pods reach each other through gateways');
      },
      minutes,
    );

    test(
      `is left alone by a second install with ${helm}`,
      async () => {
        await settledContents(scene);
        const before = await allVersions(scene);

        await scene.isthmus(helm, 'install');

        assert.equal(differences(before, await allVersions(scene)), []);
      },
      minutes,
    );

    test(
      `is gone after uninstall with ${helm}, with all that istiod made of it`,
      async () => {
        await scene.isthmus(helm, 'uninstall');

        await expectNone('the clusters to be as before', async () => differences(untouched, await contents(scene)));
      },
      minutes,
    );
  }

  test(
    'is valid for the definitions of the Gateway API, which refuse what is not',
    async () => {
      await scene.isthmus(helms[0], 'install');
      const { apiVersion, kind, metadata, spec } = (await objectAt(scene.one, gateway)) as Gateway;
      const copy = { apiVersion, kind, metadata: { name: 'copy', namespace: 'istio-system', labels: metadata.labels }, spec };
      const listener = (change: object) => ({ ...copy, spec: { ...spec, listeners: [{ ...spec.listeners[0], ...change }] } });
      const annotations = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`example.com/a${index}`, '']));
      const wrong = [
        listener({ protocol: 'HBONE!' }),
        listener({ port: 0 }),
        listener({ tls: { mode: 'Terminated' } }),
        listener({ tls: { mode: 'Terminate' } }),
        listener({ ports: [15008] }),
        { ...copy, spec: { ...spec, infrastructure: { ...spec.infrastructure, annotations } } },
      ];

      assert.is(await statusOf(scene.one, copy), 201);
      for (const object of wrong) assert.ok([400, 422].includes(await statusOf(scene.one, object)), JSON.stringify(object.spec));
    },
    minutes,
  );
});

/** What the API server answers to an object that it is to check and not to store. */
async function statusOf({ client }: Cluster, object: object): Promise<number> {
  return (await client.request('POST', `${collection}?dryRun=All&fieldValidation=Strict`, object)).status;
}
