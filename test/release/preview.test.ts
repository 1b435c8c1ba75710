// A dry run: every command and difference, and not one write.

import { install } from '../../src/release/install.ts';
import { previewInstall } from '../../src/release/preview.ts';
import { readGenerated } from '../../src/release/read.ts';
import { installation, out, twoClusters } from '../helpers/installation.ts';
import { assert, describe } from '../helpers/suite.ts';

const version = { apiVersion: 'v1', kind: 'Version', metadata: { name: 'version' }, gitVersion: 'v1.34.4' };

function prepared() {
  const clusters = twoClusters();
  for (const cluster of Object.values(clusters)) cluster.objects.set('/version', version);
  return clusters;
}

describe('a preview', ({ test }) => {
  test('shows commands to paste and what they would add, and writes nothing', async () => {
    const clusters = prepared();
    const system = installation({ clusters });

    const { steps, failed } = await previewInstall(await readGenerated(system.files, out), system);

    assert.equal(failed, []);
    assert.equal([clusters.one.writes, clusters.two.writes, [...system.written].length], [[], [], 7]);
    assert.equal(
      [...new Set(system.commands.map(({ args }) => args[0]))].sort(),
      ['list', 'template', 'upgrade', 'version'],
      'upgrade is only asked for its flags',
    );
    const remote = steps.find(({ step }) => step === 'istio-remote');
    assert.is(
      remote?.command,
      `helm upgrade istio-remote ${out}/clusters/cluster2/istio-remote --install --reset-values --history-max 5 --kube-context two --namespace istio-system`,
    );
    assert.match(String(remote?.diff), '--- /dev/null\n+++ ServiceAccount istio-system/reader\n');
    assert.equal(steps.map(({ step }) => step).at(-1), 'remote secret istio-remote-secret-cluster2');
  });

  test('shows only what differs from what is there', async () => {
    const clusters = prepared();
    const first = installation({ clusters });
    await install(await readGenerated(first.files, out), first);
    const system = installation({ clusters });

    const { steps } = await previewInstall(await readGenerated(system.files, out), system);

    const diffs = steps.filter(({ step }) => step.startsWith('namespace')).map(({ diff }) => diff);
    assert.equal(diffs, ['', '', '', '']);
  });

  test('names a cluster that it could not look at, and looks at the others', async () => {
    const clusters = prepared();
    const system = installation({ clusters: { one: clusters.one, two: clusters.one } });

    const { steps, failed } = await previewInstall(await readGenerated(system.files, out), system);

    assert.equal(
      failed.map(({ cluster }) => cluster),
      ['cluster2'],
    );
    assert.ok(steps.some(({ cluster }) => cluster === 'cluster1'));
  });
});
