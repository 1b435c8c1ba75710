// isthmus publish: what it asks of its command line, and what it says.
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { IsthmusError } from '../../src/base/errors.ts';
import { runProgram } from '../../src/commands/program.ts';
import { createFiles } from '../../src/system/files.ts';
import { modernPlan } from '../helpers/plans.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { fakeSystem } from '../helpers/system.ts';
import { generatedFolder } from '../publish/chart-folders.ts';

const root = join(import.meta.dirname, '..', '..');

describe('isthmus publish', ({ test, after }) => {
  const folders: string[] = [];
  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });

  /** Publishes a generated folder into a repository beside it. */
  async function publish(out: string, ...args: readonly string[]) {
    folders.push(dirname(out));
    const system = { ...fakeSystem(), files: createFiles(), cwd: dirname(out), packageFolder: root };
    const code = await runProgram(system, ['publish', 'out', '--to', './repo', ...args]);
    return { code, ...system.output() };
  }

  test('says what it did, and how a cluster gets it with helm alone', async () => {
    const { code, out, err } = await publish(generatedFolder(), '--url', 'https://charts.corp/mesh');

    assert.is(code, 0);
    assert.is(err, '');
    assert.match(out, /^published {2}ambient-gateway +0\.1\.0 +sha256:[0-9a-f]{64}\n/);
    assert.match(
      out,
      /\n {2}helm upgrade --install istio-remote istio-remote-cluster2 --repo https:\/\/charts\.corp\/mesh --version 0\.1\.0\+[0-9a-f]{12} --namespace istio-system\n/,
    );
  });

  test('publishes what is ready, and says what waits', async () => {
    const out = generatedFolder({}, modernPlan([]));

    const { code, out: said, err } = await publish(out, '-o', 'json');

    assert.is(code, 0);
    assert.match(err, /^istio-remote in cluster2 waits for .*istiod-ilb.*: it has no chart yet\n$/);
    const { charts } = JSON.parse(said) as { charts: { name: string; install?: string }[] };
    assert.not.ok(charts.some(({ name }) => name === 'istio-remote-cluster2'));
    assert.match(
      charts.find(({ name }) => name === 'istio-ilb-cluster1')?.install ?? '',
      /^helm upgrade --install istio-ilb repo\/istio-ilb-cluster1-/,
    );
  });

  const mistakes: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /publish needs --to/],
    [['--to', 'https://charts.corp'], /is neither oci:\/\/ nor a folder/],
    [['--to', 'oci://registry.corp/mesh', '--url', 'https://charts.corp'], /--url is for static repositories/],
    [['--to', './repo', '--plain-http'], /--plain-http is for registries/],
    [['--to', './repo', '--sign', 'cosign'], /cosign signs what is in a registry/],
    [['--to', './repo', '--sign-key', 'me'], /--sign-key needs --sign/],
    [['--to', './repo'], /holds no releases\.yaml/],
  ];
  for (const [args, reason] of mistakes) {
    test(`refuses ${args.join(' ') || 'nothing at all'}`, async () => {
      const system = fakeSystem();

      const error = (await thrownBy(() => runProgram(system, ['publish', ...args]))) as IsthmusError;

      assert.is(error.kind, 'usage');
      assert.match(error.message, reason);
      assert.equal([...system.written], []);
      assert.equal(system.commands, []);
    });
  }
});
