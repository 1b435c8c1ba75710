// Generated files never destroy what someone else wrote.
import { createHash } from 'node:crypto';
import { IsthmusError } from '../../src/base/errors.ts';
import { writeArtifacts } from '../../src/commands/write.ts';
import type { Artifact } from '../../src/render/types.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { type FakeSystem, fakeSystem } from '../helpers/system.ts';

const options = { shown: 'out', edited: 'refuse' } as const;

function withChecksums(files: Readonly<Record<string, string>>): Artifact[] {
  const sums = Object.entries(files).map(([path, contents]) => `${createHash('sha256').update(contents).digest('hex')}  ${path}\n`);
  return [...Object.entries(files), ['checksums.txt', sums.join('')] as const].map(([path, contents]) => ({ path, contents }));
}

function contentsOf(system: FakeSystem): Record<string, string> {
  return Object.fromEntries(
    [...system.written]
      .filter(([path]) => !path.endsWith('checksums.txt'))
      .map(([path, text]) => [path.replace('/home/me/out/', ''), text]),
  );
}

async function written(files: Readonly<Record<string, string>>): Promise<FakeSystem> {
  const system = fakeSystem();
  await writeArtifacts(system.files, '/home/me/out', withChecksums(files), options);
  return system;
}

describe('writing generated files', ({ test }) => {
  test('fills an empty folder', async () => {
    const system = await written({ 'a.yaml': 'a', 'clusters/c1/values.yaml': 'v' });

    assert.equal(contentsOf(system), { 'a.yaml': 'a', 'clusters/c1/values.yaml': 'v' });
  });

  test('refuses a folder that holds files of someone else', async () => {
    const system = fakeSystem({ files: { '/home/me/out/thesis.txt': 'years of work' } });

    const error = await thrownBy(() => writeArtifacts(system.files, '/home/me/out', withChecksums({ 'a.yaml': 'a' }), options));

    assert.instance(error, IsthmusError);
    assert.match((error as IsthmusError).message, 'was not written by isthmus');
    assert.equal([...system.written.keys()], ['/home/me/out/thesis.txt']);
  });

  test('writes nothing when nothing changed', async () => {
    const system = await written({ 'a.yaml': 'a' });

    const result = await writeArtifacts(system.files, '/home/me/out', withChecksums({ 'a.yaml': 'a' }), options);

    assert.equal(result, { changed: 0, removed: 0, unchanged: 2 });
  });

  test('replaces and removes its own files', async () => {
    const system = await written({ 'a.yaml': 'a', 'old.yaml': 'o' });

    await writeArtifacts(system.files, '/home/me/out', withChecksums({ 'a.yaml': 'new' }), options);

    assert.equal(contentsOf(system), { 'a.yaml': 'new' });
  });

  test('leaves files of someone else beside its own alone', async () => {
    const system = await written({ 'a.yaml': 'a' });
    await system.files.write('/home/me/out/notes.txt', 'mine');

    await writeArtifacts(system.files, '/home/me/out', withChecksums({ 'a.yaml': 'b' }), options);

    assert.equal(contentsOf(system), { 'a.yaml': 'b', 'notes.txt': 'mine' });
  });

  test('refuses to replace an edited file, and writes nothing at all', async () => {
    const system = await written({ 'a.yaml': 'a', 'b.yaml': 'b' });
    await system.files.write('/home/me/out/a.yaml', 'edited');

    const error = await thrownBy(() =>
      writeArtifacts(system.files, '/home/me/out', withChecksums({ 'a.yaml': 'new', 'b.yaml': 'new' }), options),
    );

    assert.match((error as Error).message, 'a.yaml');
    assert.equal(contentsOf(system), { 'a.yaml': 'edited', 'b.yaml': 'b' });
  });

  test('refuses to remove an edited file that is not generated any more', async () => {
    const system = await written({ 'a.yaml': 'a', 'old.yaml': 'o' });
    await system.files.write('/home/me/out/old.yaml', 'edited');

    const error = await thrownBy(() => writeArtifacts(system.files, '/home/me/out', withChecksums({ 'a.yaml': 'a' }), options));

    assert.match((error as Error).message, 'old.yaml');
    assert.is(contentsOf(system)['old.yaml'], 'edited');
  });

  test('refuses to write over a file of someone else in its own folder', async () => {
    const system = await written({ 'a.yaml': 'a' });
    await system.files.write('/home/me/out/b.yaml', 'mine');

    const error = await thrownBy(() =>
      writeArtifacts(system.files, '/home/me/out', withChecksums({ 'a.yaml': 'a', 'b.yaml': 'generated' }), options),
    );

    assert.match((error as Error).message, 'b.yaml');
    assert.is(contentsOf(system)['b.yaml'], 'mine');
  });

  test('replaces edited files when told to', async () => {
    const system = await written({ 'a.yaml': 'a' });
    await system.files.write('/home/me/out/a.yaml', 'edited');

    await writeArtifacts(system.files, '/home/me/out', withChecksums({ 'a.yaml': 'new' }), { ...options, edited: 'replace' });

    assert.equal(contentsOf(system), { 'a.yaml': 'new' });
  });

  test('keeps edited files when told to', async () => {
    const system = await written({ 'a.yaml': 'a', 'b.yaml': 'b', 'old.yaml': 'o' });
    await system.files.write('/home/me/out/a.yaml', 'edited');
    await system.files.write('/home/me/out/old.yaml', 'edited');

    await writeArtifacts(system.files, '/home/me/out', withChecksums({ 'a.yaml': 'new', 'b.yaml': 'new' }), { ...options, edited: 'keep' });

    assert.equal(contentsOf(system), { 'a.yaml': 'edited', 'b.yaml': 'new', 'old.yaml': 'edited' });
  });

  test('repairs what a run that died halfway left', async () => {
    const system = await written({ 'a.yaml': 'a', 'b.yaml': 'b' });
    await system.files.write('/home/me/out/a.yaml', 'new');

    await writeArtifacts(system.files, '/home/me/out', withChecksums({ 'a.yaml': 'new', 'b.yaml': 'new' }), options);

    assert.equal(contentsOf(system), { 'a.yaml': 'new', 'b.yaml': 'new' });
  });
});
