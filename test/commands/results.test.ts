// What install and uninstall say at their end.
import { describePreview, describeResults, failedResults } from '../../src/commands/results.ts';
import type { GeneratedMesh, ReleaseResult } from '../../src/release/types.ts';
import { assert, describe } from '../helpers/suite.ts';

const generated = { index: { mesh: 'bookinfo', clusters: [{ name: 'c1' }, { name: 'c2' }] } } as unknown as GeneratedMesh;

function result(cluster: string, outcome: ReleaseResult['outcome']): ReleaseResult {
  return { cluster, step: 'route-installer', outcome, seconds: 1 };
}

describe('the results of a run', ({ test }) => {
  test('are a success when nothing failed or waits', () => {
    const results = [result('c1', 'installed'), result('c2', 'unchanged'), result('c2', 'installed')];

    assert.equal(failedResults(results), []);
    assert.is(
      describeResults(generated, results, 'installed'),
      'Mesh bookinfo is installed: 2 clusters; 2 installed, 1 unchanged\n\nNext: isthmus verify\n',
    );
    assert.is(describeResults(generated, [result('c1', 'removed')], 'removed'), 'Mesh bookinfo is removed: 2 clusters; 1 removed\n');
  });

  test('name the clusters where something failed, was skipped or waits', () => {
    for (const outcome of ['failed', 'skipped', 'waiting'] as const) {
      const text = describeResults(generated, [result('c1', 'installed'), result('c2', outcome)], 'installed');

      assert.match(text, `Mesh bookinfo is not installed in c2: 1 installed, 1 ${outcome}.`);
      assert.match(text, 'run the same command again');
    }
  });

  test('of a preview are commands, diffs and clusters that could not be looked at', () => {
    const steps = [
      { cluster: 'c1', step: 'namespace istio-system', diff: '' },
      { cluster: 'c1', step: 'istio-ilb', command: 'helm upgrade istio-ilb', diff: '--- now\n+++ then\n' },
    ];

    const text = describePreview(steps, [{ ...result('c2', 'failed'), message: 'no answer' }]);

    assert.match(text, 'c1  namespace istio-system\n  no change\n');
    assert.match(text, 'c1  istio-ilb\n  $ helm upgrade istio-ilb\n--- now\n+++ then\n');
    assert.match(text, 'no answer');
  });
});
