// Values of a mesh in Istio's own charts.
import { parseYaml } from '../../src/base/yaml.ts';
import { istioValues, pilotImage } from '../../src/render/istio-charts.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const defaults = '# of Istio\n_internal_defaults_do_not_set:\n  replicaCount: 1\n  global: {hub: "", tag: ""}\n';
const values = { revision: '', global: { tag: '1.30.3' } };
const file = (contents: string) => [{ path: 'values.yaml', contents }];

describe("values of Istio's charts", ({ test }) => {
  test('stand beside the defaults, where the chart takes them as given by its user', () => {
    const written = istioValues(file(defaults), values);

    assert.equal(parseYaml(written, 'values.yaml').value, {
      _internal_defaults_do_not_set: { replicaCount: 1, global: { hub: '', tag: '' } },
      ...values,
    });
  });

  test('replace those of an earlier time', () => {
    const before = istioValues(file(defaults), { ...values, gone: true });

    assert.is(istioValues(file(before), values), istioValues(file(defaults), values));
  });

  test('tell the image that istiod runs', () => {
    assert.is(pilotImage({ global: { hub: 'mirror.corp/istio', tag: '1.30.3' } }), 'mirror.corp/istio/pilot:1.30.3');
  });

  test('are not put into a chart that is none of Istio', async () => {
    for (const source of [[], file('a: 1\n'), file('- 1\n'), file('_internal_defaults_do_not_set: 1\n')])
      assert.match(String(await thrownBy(() => istioValues(source, values))), "the chart is none of Istio's");
  });
});
