// Reading out/ back.
import { createHash } from 'node:crypto';
import { IsthmusError } from '../../src/base/errors.ts';
import { toYaml } from '../../src/base/yaml.ts';
import { changedFiles, readGenerated } from '../../src/release/read.ts';
import { installation, out, releaseIndex, twoClusters } from '../helpers/installation.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { fakeSystem } from '../helpers/system.ts';

async function refusal(index: unknown): Promise<IsthmusError> {
  const { files } = installation({ clusters: twoClusters(), files: { [`${out}/releases.yaml`]: toYaml(index) } });
  const error = await thrownBy(() => readGenerated(files, out));
  assert.ok(error instanceof IsthmusError, String(error));
  return error;
}

describe('the generated folder', ({ test }) => {
  test('is read with a chart folder for each release that does not wait', async () => {
    const index = releaseIndex();
    const { folder, ...waiting } = index.releases[3] ?? { folder: '' };
    index.releases[3] = { ...waiting, waitsFor: ['address of istiod-ilb in cluster1'] } as never;
    const { files } = installation({ clusters: twoClusters(), index });

    const { releases } = await readGenerated(files, out);

    assert.equal(
      releases.map(({ chartPath }) => chartPath),
      [
        `${out}/clusters/cluster1/istio-ilb`,
        `${out}/clusters/cluster1/route-installer`,
        `${out}/clusters/cluster2/route-installer`,
        undefined,
      ],
    );
  });

  test('is refused without an index, with the command that makes one', async () => {
    const error = (await thrownBy(() => readGenerated(fakeSystem().files, out))) as IsthmusError;

    assert.is(error.message, 'holds no releases.yaml');
    assert.match(String(error.hint), 'isthmus generate');
  });

  test('is refused with the position of what is malformed', async () => {
    const error = await refusal({ ...releaseIndex(), releases: [{ ...releaseIndex().releases[0], order: 'first' }] });

    assert.match(String(error.where), /^\/home\/me\/out\/releases\.yaml:\d+:\d+$/);
    assert.match(error.message, /^releases\.0\.order: /);
  });

  test('is refused when it names unknown clusters, missing charts, or folders outside of it', async () => {
    const release = releaseIndex().releases[0];
    const having = (change: object) => ({ ...releaseIndex(), releases: [{ ...release, ...change }] });

    assert.match((await refusal(having({ cluster: 'cluster9' }))).message, 'names cluster cluster9');
    assert.match((await refusal(having({ folder: 'clusters/none' }))).message, 'the chart folder is missing');
    assert.match((await refusal(having({ folder: '../../etc' }))).message, 'which is outside of it');
    assert.match((await refusal(having({ folder: '/etc' }))).message, 'which is outside of it');
  });

  test('tells which files were edited or are missing', async () => {
    const digest = (text: string) => createHash('sha256').update(text).digest('hex');
    const sums = `${digest('a')}  same\n${digest('b')}  edited\n${digest('c')}  clusters/missing.yaml\n`;
    const { files } = fakeSystem({ files: { '/o/checksums.txt': sums, '/o/same': 'a', '/o/edited': 'x', '/o/own': '' } });

    assert.equal(await changedFiles(files, '/o'), [
      { path: 'edited', change: 'edited' },
      { path: 'clusters/missing.yaml', change: 'missing' },
    ]);
  });
});
