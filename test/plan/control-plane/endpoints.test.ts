// Where a remote reaches its control plane, per kind of address.
import type { LoadBalancerService } from '../../../src/facts/schema.ts';
import { codesOf, findingsOf, node, planPair, releaseOf } from '../../helpers/builders.ts';
import { assert, describe } from '../../helpers/suite.ts';

const classic = { istio: { version: '0.8.0' } };

function given(remotePilotAddress: string | readonly string[], change: Parameters<typeof planPair>[0] = {}) {
  return planPair({ ...change, remote: { remotePilotAddress } });
}

function service(name: string, overrides: Partial<LoadBalancerService>): LoadBalancerService {
  return { namespace: 'istio-system', name, addresses: [], hostnames: [], requested: [], ...overrides };
}

describe('the control plane of a modern remote', ({ test }) => {
  test('answers at the addresses that its load balancer has', () => {
    const plan = planPair({ one: { services: [service('istiod-ilb', { addresses: ['10.5.5.6', '10.5.5.5'] })] } });

    const { values, waitsFor } = releaseOf(plan, 'cluster2', 'istio-remote');
    assert.equal(values.remotePilotAddresses, ['10.5.5.5', '10.5.5.6']);
    assert.equal(waitsFor, []);
    assert.equal(codesOf(plan), []);
  });

  test('is waited for while the load balancer has none', () => {
    assert.equal(releaseOf(planPair(), 'cluster2', 'istio-remote').waitsFor, ['address of istiod-ilb in cluster1']);
  });

  test('answers at one or several given addresses', () => {
    assert.equal(releaseOf(given('10.5.5.5'), 'cluster2', 'istio-remote').values.remotePilotAddresses, ['10.5.5.5']);
    assert.equal(releaseOf(given(['10.5.5.5', '10.5.5.6']), 'cluster2', 'istio-remote').values.remotePilotAddresses, [
      '10.5.5.5',
      '10.5.5.6',
    ]);
    assert.equal(codesOf(given(['10.5.5.5', '10.5.5.6'])), []);
  });

  test('known by a name serves injection by URL, with a warning', () => {
    const plan = given('istiod.corp.example');

    const { values, waitsFor } = releaseOf(plan, 'cluster2', 'istio-remote');
    assert.equal([values.remotePilotAddresses, values.webhook.injectionURL, waitsFor], [[], 'https://istiod.corp.example:15017', []]);
    assert.is(findingsOf(plan, 'ISM065')[0]?.severity, 'warning');
  });

  test('whose load balancer has a name only is the same', () => {
    const plan = planPair({ one: { services: [service('istiod-ilb', { hostnames: ['b.elb.example', 'a.elb.example'] })] } });

    assert.is(releaseOf(plan, 'cluster2', 'istio-remote').values.webhook.injectionURL, 'https://a.elb.example:15017');
    assert.is(findingsOf(plan, 'ISM065').length, 1);
  });

  test('must not answer at a pod address', () => {
    const own = given('10.1.1.5');
    const other = given('10.2.1.5');

    assert.is(findingsOf(own, 'ISM062')[0]?.severity, 'error');
    assert.is(
      findingsOf(own, 'ISM062')[0]?.message,
      'remotePilotAddress: 10.1.1.5 is a pod address of cluster1; the pod gets another one when it restarts.',
    );
    assert.match(findingsOf(other, 'ISM062')[0]?.message ?? '', 'a pod address of cluster2');
  });

  test('must not answer at a public address', () => {
    assert.is(findingsOf(given('9.9.9.9'), 'ISM060')[0]?.cluster, 'cluster2');
  });

  test('must answer in one family, which the pods of the remote have', () => {
    const two = { podCIDRs: { value: ['fd00:2::/64'], source: '' }, nodes: [node('n1', 'fd01::2', ['fd00:2::/122'])] };

    assert.is(
      findingsOf(given(['10.5.5.5', 'fd09::5']), 'ISM067')[0]?.message,
      'The control-plane addresses 10.5.5.5 and fd09::5 are of two IP families.',
    );
    assert.is(findingsOf(given('fd09::5'), 'ISM067')[0]?.message, 'The control plane answers at fd09::5, and pods have IPv4 only.');
    assert.equal(findingsOf(given('fd09::5', { two }), 'ISM067'), []);
  });
});

describe('the control plane of a remote with Istio 0.8', ({ test }) => {
  test('may be at pod addresses, with a warning that they will change', () => {
    const plan = given('10.1.1.5', { mesh: classic });

    assert.is(findingsOf(plan, 'ISM062')[0]?.severity, 'warning');
    assert.match(findingsOf(plan, 'ISM062')[0]?.message ?? '', /^remotePilotAddress \(pilot\): /);
    assert.equal(releaseOf(plan, 'cluster2', 'istio-remote-classic').values.endpoints.pilot, ['10.1.1.5']);
  });

  test('waits for what is missing, component by component', () => {
    const services = [service('istio-pilot-ilb', { addresses: ['10.5.5.5'] }), service('zipkin-ilb', { addresses: ['10.5.5.6'] })];

    const { values, waitsFor } = releaseOf(planPair({ one: { services }, mesh: classic }), 'cluster2', 'istio-remote-classic');

    assert.equal(waitsFor, ['address of istio-policy-ilb in cluster1', 'address of istio-statsd-prom-bridge-ilb in cluster1']);
    assert.equal(values.endpoints, { pilot: ['10.5.5.5'], policy: [], statsd: [], zipkin: ['10.5.5.6'] });
  });

  test('cannot be known by a name: the remote waits for addresses', () => {
    const plan = given('pilot.corp.example', { mesh: classic });

    assert.ok(releaseOf(plan, 'cluster2', 'istio-remote-classic').waitsFor.includes('addresses behind pilot.corp.example'));
    assert.is(findingsOf(plan, 'ISM065')[0]?.message, 'The control plane is known as pilot.corp.example only; Istio 0.8 needs addresses.');
  });

  test('has a citadel of its own, of that version', () => {
    const { image } = releaseOf(planPair({ mesh: classic }), 'cluster2', 'istio-remote-classic').values.citadel;

    assert.is(`${image.registry}/${image.repository}:${image.tag}`, 'docker.io/istio/citadel:0.8.0');
  });
});
