// Chart ambient-gateway against the Gateway that Istio's own script prints: every difference stands in the chart's README, and nothing else differs.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { KubeObject } from '../../src/base/objects.ts';
import { parseYamlStream } from '../../src/base/yaml.ts';
import { chartFolder } from '../helpers/chart.ts';
import { differencesBetween, documentedDifferences } from '../helpers/differences.ts';
import { templateBoth } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';
import { istioSamples } from '../lab/toolchain.ts';

const network = 'network1';
const heading = "Differences from Istio's sample";

describe("ambient-gateway and Istio's", ({ test, before }) => {
  let differences: readonly string[] = [];

  before(async () => {
    const script = join(await istioSamples(), 'multicluster', 'gen-eastwest-gateway.sh');
    const text = execFileSync('bash', [script, '--network', network, '--ambient'], { encoding: 'utf8' });
    const theirs = parseYamlStream(text, 'gen-eastwest-gateway.sh') as KubeObject[];
    const values = { network, service: { annotations: { 'networking.gke.io/load-balancer-type': 'Internal' } } };
    const ours = await templateBoth(chartFolder('ambient-gateway'), { namespace: 'istio-system', values });
    differences = [...new Set(differencesBetween(theirs, ours).map(coarse))].sort();
  });

  test('differ only where the README says so', () => {
    const documented = new Set(documentedDifferences('ambient-gateway', heading));

    assert.equal(
      differences.filter((difference) => !documented.has(difference)),
      [],
    );
  });

  test('differ in everything that the README says', () => {
    assert.equal(documentedDifferences('ambient-gateway', heading).sort(), differences);
  });
});

/** One line for all annotations. */
function coarse(place: string): string {
  return place.replace(/(\.annotations)\..*$/, '$1');
}
