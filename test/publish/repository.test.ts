// A static repository in a folder: written once, added to, and never changed under a version that is there.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IsthmusError } from '../../src/base/errors.ts';
import { parseYaml } from '../../src/base/yaml.ts';
import { publishToFolder } from '../../src/publish/repository.ts';
import type { ChartPackage } from '../../src/publish/types.ts';
import { createFiles } from '../../src/system/files.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { fakeSystem } from '../helpers/system.ts';

const deps = { ...fakeSystem(), files: createFiles() };

function chart(name: string, contents = 'x'): ChartPackage {
  const bytes = Buffer.from(contents);
  const digest = contents.charCodeAt(0).toString(16).padStart(64, '0');
  return { metadata: { name, version: '1.0.0+abc', apiVersion: 'v2' }, file: `${name}-1.0.0+abc.tgz`, bytes, digest, edited: false };
}

describe('a static repository', ({ test, before, after }) => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-repository-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const contents = () => readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
  const urls = () => {
    const { entries } = parseYaml(readFileSync(join(folder, 'index.yaml'), 'utf8'), 'index.yaml').value as {
      entries: Record<string, { urls: string[] }[]>;
    };
    return entries['a']?.[0]?.urls;
  };

  test('is made of packages, an index and what Artifact Hub asks for', async () => {
    const results = await publishToFolder([chart('a'), chart('b')], { folder, url: 'https://charts.corp/mesh' }, deps);

    assert.equal(readdirSync(folder), ['a-1.0.0+abc.tgz', 'artifacthub-repo.yml', 'b-1.0.0+abc.tgz', 'index.yaml']);
    assert.equal(
      results.map(({ name, outcome }) => [name, outcome]),
      [
        ['a', 'published'],
        ['b', 'published'],
      ],
    );
    assert.equal(urls(), ['https://charts.corp/mesh/a-1.0.0%2Babc.tgz']);
    assert.equal(parseYaml(readFileSync(join(folder, 'artifacthub-repo.yml'), 'utf8'), 'a').value, { ignore: [] });
  });

  test('is not touched when everything is there', async () => {
    writeFileSync(join(folder, 'artifacthub-repo.yml'), 'repositoryID: mine\n');
    const [before, time] = [contents(), statSync(join(folder, 'index.yaml')).mtimeMs];

    const results = await publishToFolder([chart('a'), chart('b')], { folder, url: 'https://charts.corp/mesh/' }, deps);

    assert.equal(
      results.map(({ outcome }) => outcome),
      ['unchanged', 'unchanged'],
    );
    assert.equal(contents(), before);
    assert.is(statSync(join(folder, 'index.yaml')).mtimeMs, time);
  });

  test('refuses other contents under a version that is there, before it writes anything', async () => {
    const before = contents();

    const error = (await thrownBy(() => publishToFolder([chart('0-new'), chart('a', 'y')], { folder }, deps))) as IsthmusError;

    assert.is(error.kind, 'findings');
    assert.match(error.message, 'a 1.0.0+abc with other contents');
    assert.equal(contents(), before);
  });

  test('refuses a package that was replaced behind the back of its index', async () => {
    writeFileSync(join(folder, 'b-1.0.0+abc.tgz'), 'tampered');

    const error = (await thrownBy(() => publishToFolder([chart('b')], { folder }, deps))) as IsthmusError;

    assert.is(error.where, join(folder, 'b-1.0.0+abc.tgz'));
    assert.match(error.message, 'is there with other contents');
  });

  test('puts back a package that is listed and gone, and tells so', async () => {
    rmSync(join(folder, 'b-1.0.0+abc.tgz'));

    const [result] = await publishToFolder([chart('b')], { folder }, deps);

    assert.is(result?.outcome, 'published');
    assert.is(readFileSync(join(folder, 'b-1.0.0+abc.tgz'), 'utf8'), 'x');
  });

  test('has URLs that work wherever it is served, when it is not told where', async () => {
    await publishToFolder([chart('a')], { folder }, deps);

    assert.equal(urls(), ['a-1.0.0%2Babc.tgz']);
  });

  for (const url of [
    'charts.corp',
    'ftp://charts.corp',
    'https://me:secret@charts.corp',
    'https://charts.corp/?a=b',
    'https://charts.corp/#a',
  ]) {
    test(`refuses to be served at ${url}`, async () => {
      const error = (await thrownBy(() => publishToFolder([chart('a')], { folder, url }, deps))) as IsthmusError;

      assert.match(error.message, '--url is no web address');
      assert.not.match(`${error.message}${error.hint}`, 'secret');
    });
  }
});
