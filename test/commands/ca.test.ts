// isthmus ca: what it prints, and where it refuses to put keys.
import type { IsthmusError } from '../../src/base/errors.ts';
import { runProgram } from '../../src/commands/program.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { fakeSystem } from '../helpers/system.ts';

const mesh = (version: string) => `apiVersion: isthmus/v1
kind: Mesh
metadata: {name: bookinfo}
istio: {version: ${version}}
clusters:
  - {name: cluster1, role: primary, context: one}
  - {name: cluster2, role: remote, context: two}
`;

describe('isthmus ca init', ({ test }) => {
  test('makes a root and a folder for each primary, none for a remote, and says what to do next', async () => {
    const system = fakeSystem({ files: { '/home/me/mesh.yaml': mesh('1.31.0') } });

    const code = await runProgram(system, ['ca', 'init', '--out', 'keys']);

    const { out } = system.output();
    assert.is(code, 0);
    assert.match(out, 'made  keys/cluster1');
    assert.match(out, 'put `ca: keys` below `istio` in mesh.yaml');
    assert.not.match(out, /cluster2|PRIVATE/);
    assert.ok(system.written.has('/home/me/keys/cluster1/ca-key.pem'));
    assert.not(system.written.has('/home/me/keys/cluster2/ca-key.pem'));
  });

  test('puts no key into generated files, nor below them', async () => {
    for (const out of ['out', 'out/keys', 'out/a/b']) {
      const system = fakeSystem({ files: { '/home/me/mesh.yaml': mesh('1.31.0'), '/home/me/out/releases.yaml': '' } });

      const error = (await thrownBy(() => runProgram(system, ['ca', 'init', '--out', out]))) as IsthmusError;

      assert.is(error.kind, 'usage');
      assert.match(error.message, 'which holds generated files; no key may be there');
      assert.is(system.written.size, 2);
    }
  });

  test('has nothing to give to Istio 0.8', async () => {
    const system = fakeSystem({ files: { '/home/me/mesh.yaml': mesh('0.8.0') } });

    assert.match(
      String(await thrownBy(() => runProgram(system, ['ca', 'init']))),
      'Citadel of Istio 0.8 signs with a certificate of its own',
    );
  });
});
