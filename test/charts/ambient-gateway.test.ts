// Chart ambient-gateway: the common tests of a chart, what istiod reads of it, and what it refuses.
import type { KubeObject } from '../../src/base/objects.ts';
import { parseYaml } from '../../src/base/yaml.ts';
import { AmbientGatewayValues } from '../../src/plan/values/ambient-gateway.ts';
import { chartFolder, describeChart } from '../helpers/chart.ts';
import { objectOf, refusedByBoth, templateBoth } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';

const chart = chartFolder('ambient-gateway');
const name = 'istio-eastwestgateway';
const values = { network: 'network1' };

interface GatewaySpec {
  readonly gatewayClassName: string;
  readonly infrastructure: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    readonly parametersRef: { readonly kind: string; readonly name: string };
  };
  readonly addresses?: readonly { readonly type: string; readonly value: string }[];
}

describeChart({ name: 'ambient-gateway', schema: AmbientGatewayValues, namespace: 'istio-system' });

describe('ambient-gateway', ({ test }) => {
  test('is found by its label, and hands on that label alone', async () => {
    const objects = await templateBoth(chart, { values });

    const gateway = objectOf(objects, 'Gateway', name);
    assert.is(gateway.metadata.labels?.['topology.istio.io/network'], 'network1');
    assert.equal(specOf(objects).infrastructure.labels, { 'topology.istio.io/network': 'network1' });
  });

  test('names annotations for its Service even where there are none: istiod would copy those of helm', async () => {
    const annotations = { 'networking.gke.io/load-balancer-type': 'Internal' };

    const bare = await templateBoth(chart, { values });
    const internal = await templateBoth(chart, { values: { ...values, service: { annotations } } });

    assert.equal(specOf(bare).infrastructure.annotations, {});
    assert.equal(specOf(internal).infrastructure.annotations, annotations);
  });

  test('refers to the parameters that it brings, each of which is YAML', async () => {
    const service = { loadBalancerClass: 'example.com/internal', sourceRanges: ['10.0.0.0/8', 'fd00::/8'] };

    const objects = await templateBoth(chart, { values: { ...values, service } });

    assert.is(objectOf(objects, 'ConfigMap', specOf(objects).infrastructure.parametersRef.name).metadata.name, name);
    assert.equal(parametersOf(objects), {
      deployment: { spec: { replicas: 2 } },
      podDisruptionBudget: { spec: { maxUnavailable: 1 } },
      service: { spec: { loadBalancerClass: 'example.com/internal', loadBalancerSourceRanges: ['10.0.0.0/8', 'fd00::/8'] } },
    });
  });

  test('has no budget that would block the only pod, and asks for an address only where one is given', async () => {
    const single = await templateBoth(chart, { values: { ...values, replicas: 1 } });
    const fixed = await templateBoth(chart, { values: { ...values, service: { loadBalancerIP: '10.0.0.9' } } });

    assert.equal(parametersOf(single), { deployment: { spec: { replicas: 1 } } });
    assert.is(specOf(single).addresses, undefined);
    assert.equal(specOf(fixed).addresses, [{ type: 'IPAddress', value: '10.0.0.9' }]);
  });

  test('belongs to the istiod of its revision', async () => {
    const objects = await templateBoth(chart, { values: { ...values, revision: '1-30' } });

    assert.is(objectOf(objects, 'Gateway', name).metadata.labels?.['istio.io/rev'], '1-30');
  });
});

describe('what ambient-gateway refuses', ({ test }) => {
  const bySchema: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
    ['no network', { network: undefined }],
    ['a network with capitals', { network: 'Net' }],
    ['a revision with a dot', { revision: '1.30' }],
    ['no pods at all', { replicas: 0 }],
    ['a host name as address', { service: { loadBalancerIP: 'gateway.example.com' } }],
    ['a source range that is none', { service: { sourceRanges: ['10.0.0.5'] } }],
    ['a value of the gateway for sidecars', { expose: { istiod: true } }],
    ['an unknown key further in', { service: { keep: true } }],
  ];
  for (const [what, change] of bySchema) {
    test(`${what}, by helm and by isthmus alike`, async () => {
      const bad = { ...values, ...change };

      assert.match(await refusedByBoth(chart, { values: bad }), "values don't meet the specifications of the schema");
      assert.not.ok(AmbientGatewayValues.safeParse(bad).success);
    });
  }

  test('more annotations than a Gateway hands on, saying how many there may be', async () => {
    const annotations = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`example.com/a${index}`, '']));
    const bad = { ...values, service: { annotations } };

    assert.match(await refusedByBoth(chart, { values: bad }), 'hands 8 at most on to its Service');
    assert.not.ok(AmbientGatewayValues.safeParse(bad).success);
  });
});

function specOf(objects: readonly KubeObject[]): GatewaySpec {
  return objectOf(objects, 'Gateway', name)['spec'] as GatewaySpec;
}

/** What istiod merges into the objects that it makes, parsed. */
function parametersOf(objects: readonly KubeObject[]): Record<string, unknown> {
  const { data } = objectOf(objects, 'ConfigMap', name) as unknown as { data: Readonly<Record<string, string>> };
  return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, parseYaml(text, key).value]));
}
