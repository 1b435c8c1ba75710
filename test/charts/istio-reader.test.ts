// Chart istio-reader: the common tests of a chart, what its role allows, and names of the account.
import { IstioReaderValues } from '../../src/plan/values/istio-reader.ts';
import { chartFolder, describeChart } from '../helpers/chart.ts';
import { objectOf, refusedByBoth, templateBoth } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';

const chart = chartFolder('istio-reader');

interface Rules {
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

describeChart({ name: 'istio-reader', schema: IstioReaderValues, namespace: 'istio-system' });

describe('istio-reader', ({ test }) => {
  test('reads, and creates nothing but questions about tokens', async () => {
    const { rules } = objectOf(await templateBoth(chart), 'ClusterRole', 'isthmus-reader-istio-system') as unknown as Rules;

    const writing = rules.filter(({ verbs }) => verbs.some((verb) => !['get', 'list', 'watch'].includes(verb)));
    assert.equal(
      writing.map(({ resources, verbs }) => [resources, verbs]),
      [
        [['tokenreviews'], ['create']],
        [['subjectaccessreviews'], ['create']],
      ],
    );
  });

  test('reads all that the reader of chart istio-remote reads', async () => {
    const values = { clusterName: 'c2', remotePilotAddresses: ['10.0.0.5'] };

    const remote = await templateBoth(chartFolder('istio-remote'), { values });
    const reader = await templateBoth(chart);

    const theirs = readable(objectOf(remote, 'ClusterRole', 'istio-reader-clusterrole-istio-system') as unknown as Rules);
    const ours = new Set(readable(objectOf(reader, 'ClusterRole', 'isthmus-reader-istio-system') as unknown as Rules));
    const missing = theirs.filter((resource) => !ours.has(resource) && !resource.includes('webhookconfigurations'));
    assert.equal(missing, []);
  });

  test('binds role and token to the account that was named', async () => {
    const objects = await templateBoth(chart, { values: { serviceAccount: 'mesh.reader' }, namespace: 'mesh' });

    const secret = objectOf(objects, 'Secret', 'mesh.reader-istio-remote-secret-token');
    assert.equal(objectOf(objects, 'ClusterRoleBinding', 'mesh.reader-mesh')['subjects'], [
      { kind: 'ServiceAccount', name: 'mesh.reader', namespace: 'mesh' },
    ]);
    assert.equal(secret.metadata.annotations, { 'kubernetes.io/service-account.name': 'mesh.reader' });
  });

  for (const bad of [{ serviceAccount: 'a/b' }, { serviceAccount: '' }, { token: 'yes' }, { account: 'a' }]) {
    test(`refuses ${JSON.stringify(bad)}, by helm and by isthmus alike`, async () => {
      assert.match(await refusedByBoth(chart, { values: bad }), "values don't meet the specifications of the schema");
      assert.not.ok(IstioReaderValues.safeParse(bad).success);
    });
  }
});

function readable({ rules }: Rules): string[] {
  return rules
    .filter(({ verbs }) => verbs.includes('list'))
    .flatMap(({ apiGroups, resources }) => apiGroups.flatMap((group) => resources.map((resource) => `${resource} of "${group}"`)));
}
