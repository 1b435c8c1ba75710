// Chart eastwest-gateway: the common tests of a chart, what other networks rely on, and what it refuses.
import type { KubeObject } from '../../src/base/objects.ts';
import { EastwestGatewayValues } from '../../src/plan/values/eastwest-gateway.ts';
import { chartFolder, describeChart } from '../helpers/chart.ts';
import { objectOf, refusedByBoth, templateBoth } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';

const chart = chartFolder('eastwest-gateway');
const name = 'istio-eastwestgateway';
const values = { network: 'network1' };

interface Workload {
  readonly replicas?: number;
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly template: { readonly metadata: { readonly labels: Readonly<Record<string, string>> } };
}

interface Service {
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort: number }[];
}

describeChart({ name: 'eastwest-gateway', schema: EastwestGatewayValues, namespace: 'istio-system' });

describe('eastwest-gateway', ({ test }) => {
  test('is found by its labels: by istiod through the network, by Gateways and Service through the pods', async () => {
    const objects = await templateBoth(chart, { values });

    const { template, selector } = specOf<Workload>(objects, 'Deployment');
    const service = objectOf(objects, 'Service', name);
    const gateway = specOf<{ selector: Record<string, string> }>(objects, 'Gateway', `${name}-services`);
    assert.is(service.metadata.labels?.['topology.istio.io/network'], 'network1');
    for (const wanted of [selector.matchLabels, specOf<Service>(objects, 'Service').selector, gateway.selector])
      for (const [key, value] of Object.entries(wanted)) assert.is(template.metadata.labels[key], value, key);
  });

  test('never changes the selector of its Deployment, whatever network and revision it is moved to', async () => {
    const first = await templateBoth(chart, { values });
    const second = await templateBoth(chart, { values: { network: 'b', revision: '1-30' } });

    assert.equal(specOf<Workload>(second, 'Deployment').selector, specOf<Workload>(first, 'Deployment').selector);
  });

  test('opens istiod only where it is exposed', async () => {
    const closed = await templateBoth(chart, { values });
    const open = await templateBoth(chart, { values: { ...values, expose: { istiod: true } } });

    assert.equal(portsOf(closed), [15021, 15443]);
    assert.equal(portsOf(open), [15021, 15443, 15012, 15017]);
    assert.not.ok(closed.some(({ kind }) => kind === 'VirtualService'));
    objectOf(open, 'VirtualService', `${name}-istiod`);
  });

  test('brings no configuration of Istio where no istiod reads it', async () => {
    const objects = await templateBoth(chart, { values: { ...values, expose: { services: false } } });

    assert.equal(
      objects.filter(({ apiVersion }) => apiVersion.includes('istio.io')),
      [],
    );
  });

  test('leads to the istiod of its revision and namespace, through a Gateway of its own network', async () => {
    const objects = await templateBoth(chart, { values: { ...values, revision: '1-30', expose: { istiod: true } }, namespace: 'mesh' });

    const route = JSON.stringify(specOf(objects, 'VirtualService', `${name}-istiod`));
    const gateway = specOf<{ selector: unknown }>(objects, 'Gateway', `${name}-istiod`);
    assert.match(route, '"host":"istiod-1-30.mesh.svc.cluster.local","port":{"number":15012}');
    assert.match(route, '"host":"istiod-1-30.mesh.svc.cluster.local","port":{"number":443}');
    assert.equal(gateway.selector, { istio: 'eastwestgateway', 'topology.istio.io/network': 'network1' });
  });

  test('keeps its Service unless it is told not to, with the annotations of the load balancer', async () => {
    const annotations = { 'networking.gke.io/load-balancer-type': 'Internal' };

    const kept = await templateBoth(chart, { values: { ...values, service: { annotations } } });
    const loose = await templateBoth(chart, { values: { ...values, service: { keep: false } } });

    assert.equal(objectOf(kept, 'Service', name).metadata.annotations, { ...annotations, 'helm.sh/resource-policy': 'keep' });
    assert.is(objectOf(loose, 'Service', name).metadata.annotations, undefined);
  });

  test('leaves the number of pods to the autoscaler, and has no budget that would block the only pod', async () => {
    const scaled = await templateBoth(chart, { values: { ...values, replicas: 3, autoscaling: { enabled: true } } });
    const single = await templateBoth(chart, { values: { ...values, replicas: 1 } });

    assert.is(specOf<Workload>(scaled, 'Deployment').replicas, undefined);
    assert.equal(specOf<{ minReplicas: number; maxReplicas: number }>(scaled, 'HorizontalPodAutoscaler').minReplicas, 3);
    assert.not.ok(single.some(({ kind }) => kind === 'PodDisruptionBudget'));
  });
});

describe('what eastwest-gateway refuses', ({ test }) => {
  const bySchema: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
    ['no network', { network: undefined }],
    ['an empty network', { network: '' }],
    ['a network with capitals', { network: 'Net' }],
    ['a revision with a dot', { revision: '1.30' }],
    ['no pods at all', { replicas: 0 }],
    ['a host name as address', { service: { loadBalancerIP: 'gateway.example.com' } }],
    ['a source range that is none', { service: { sourceRanges: ['10.0.0.5'] } }],
    ['an unknown traffic policy', { service: { externalTrafficPolicy: 'local' } }],
    ['an unknown key', { networkGateway: 'network1' }],
    ['an unknown key further in', { expose: { Istiod: true } }],
  ];
  for (const [what, change] of bySchema) {
    test(`${what}, by helm and by isthmus alike`, async () => {
      const bad = { ...values, ...change };

      assert.match(await refusedByBoth(chart, { values: bad }), "values don't meet the specifications of the schema");
      assert.not.ok(EastwestGatewayValues.safeParse(bad).success);
    });
  }

  const byTemplate: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
    ['istiod without services', { expose: { istiod: true, services: false } }, 'In the cluster of a primary set both'],
    ['fewer pods at most than at least', { replicas: 6, autoscaling: { enabled: true } }, 'Raise autoscaling.maxReplicas'],
    ['a resource policy among the annotations', { service: { annotations: { 'helm.sh/resource-policy': 'keep' } } }, 'Set service.keep'],
  ];
  for (const [what, change, text] of byTemplate) {
    test(`${what}, saying what to set`, async () => {
      assert.match(await refusedByBoth(chart, { values: { ...values, ...change } }), text);
    });
  }
});

function specOf<T>(objects: readonly KubeObject[], kind: string, object: string = name): T {
  return objectOf(objects, kind, object)['spec'] as T;
}

function portsOf(objects: readonly KubeObject[]): number[] {
  return specOf<Service>(objects, 'Service').ports.map(({ port }) => port);
}
