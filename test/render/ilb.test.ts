import fc from 'fast-check';
import { parseYaml } from '../../src/base/yaml.ts';
import type { Ilb } from '../../src/plan/types.ts';
import { ilbManifests, keptServices } from '../../src/render/ilb.ts';
import { classicPlan, modernPlan } from '../helpers/plans.ts';
import { repositoryTemplates } from '../helpers/render.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const templates = repositoryTemplates();

interface Service {
  readonly metadata: { readonly name: string; readonly labels: Record<string, string>; readonly annotations: Record<string, string> };
  readonly spec: Record<string, unknown>;
}

function servicesOf(plan: ReturnType<typeof classicPlan>): readonly Ilb[] {
  return plan.clusters.flatMap(({ releases }) => releases).flatMap((release) => (release.chart === 'istio-ilb' ? release.services : []));
}

const [istiod] = servicesOf(modernPlan());
if (istiod === undefined) throw new Error('the plan has no ILB');

function serviceOf(changes: Partial<Ilb>): Service {
  const [file] = ilbManifests([{ ...(istiod as Ilb), ...changes }], 'bookinfo', templates);
  return parseYaml(file?.contents ?? '', file?.path ?? '').value as Service;
}

const printable = fc.string({ unit: 'binary' }).map((text) => text.replaceAll(/\p{Cc}|\p{Cs}|[\u{2028}\u{2029}\u{fffe}\u{ffff}]/gu, '\n'));

describe('the manifest of an ILB', ({ test }) => {
  test('is one file per Service, in order of name', () => {
    const services = servicesOf(classicPlan());

    const paths = ilbManifests(services, 'bookinfo', templates).map(({ path }) => path);

    assert.equal(paths, [
      'services/istio-citadel-ilb.yaml',
      'services/istio-pilot-ilb.yaml',
      'services/istio-policy-ilb.yaml',
      'services/istio-statsd-prom-bridge-ilb.yaml',
      'services/zipkin-ilb.yaml',
    ]);
    assert.equal(ilbManifests(services.toReversed(), 'bookinfo', templates), ilbManifests(services, 'bookinfo', templates));
  });

  test('has address, source ranges, selector and ports from the first write', () => {
    const { spec } = serviceOf({});

    assert.equal(spec, {
      type: 'LoadBalancer',
      loadBalancerIP: '9.111.255.5',
      loadBalancerSourceRanges: ['20.1.0.0/16', '9.111.255.77/32', '9.111.255.152/32', '9.111.255.155/32'],
      externalTrafficPolicy: 'Cluster',
      selector: { app: 'istiod' },
      ports: [
        { name: 'tcp-15012', port: 15012, targetPort: 15012, protocol: 'TCP' },
        { name: 'tcp-15017', port: 15017, targetPort: 15017, protocol: 'TCP' },
      ],
    });
  });

  test('has class and annotations where the platform wants them, and no source ranges for everyone', () => {
    const service = serviceOf({
      loadBalancerClass: 'service.k8s.aws/nlb',
      annotations: { 'service.beta.kubernetes.io/aws-load-balancer-scheme': 'internal' },
      sourceRanges: [],
    });

    assert.is(service.spec['loadBalancerClass'], 'service.k8s.aws/nlb');
    assert.not.ok('loadBalancerSourceRanges' in service.spec);
    assert.equal(service.metadata.annotations, {
      'helm.sh/resource-policy': 'keep',
      'service.beta.kubernetes.io/aws-load-balancer-scheme': 'internal',
    });
  });

  test('has the labels that Kubernetes recommends', () => {
    assert.equal(serviceOf({}).metadata.labels, {
      'app.kubernetes.io/name': 'istiod-ilb',
      'app.kubernetes.io/instance': 'istio-ilb',
      'app.kubernetes.io/component': 'control-plane',
      'app.kubernetes.io/part-of': 'bookinfo',
      'app.kubernetes.io/managed-by': 'Helm',
    });
  });

  test('stays one well-formed Service whatever the annotations and the platform hold', () => {
    const text = fc.oneof(printable, fc.constantFrom('no', '1e3', '{{ .Values.x }}', 'a\nb: c', '"', "'", '---\nkind: Secret'));

    fc.assert(
      fc.property(fc.dictionary(fc.string(), text, { noNullPrototype: true }), text, (annotations, platform) => {
        const service = serviceOf({ annotations, platform });
        assert.equal(service.metadata.annotations, { ...annotations, 'helm.sh/resource-policy': 'keep' });
        assert.is(service.metadata.name, 'istiod-ilb');
      }),
      { seed: 2018, numRuns: 200 },
    );
  });
});

describe('an annotation that helm cannot carry', ({ test }) => {
  test('is refused with its name', async () => {
    for (const character of ['\u{0}', '\r', '\u{7f}', '\u{85}', '\u{2028}', '\u{ffff}']) {
      const error = (await thrownBy(() => serviceOf({ annotations: { 'example.com/a': `x${character}` } }))) as {
        message: string;
        where: string;
      };
      assert.match(error.message, 'annotation example.com/a holds a control character');
      assert.is(error.where, 'Service istiod-ilb');
    }
  });
});

describe('what helm keeps of a release of ILBs', ({ test }) => {
  test('is every Service', () => {
    assert.equal(keptServices(servicesOf(modernPlan())), [
      { apiVersion: 'v1', kind: 'Service', namespace: 'istio-system', name: 'istiod-ilb' },
    ]);
  });
});
