// A tool that is missing must say how to get it, for no test is skipped over it.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert, describe, thrownBy } from './suite.ts';
import { toolPath } from './tools.ts';

describe('toolPath', ({ test, before, after }) => {
  const saved = { ...process.env };
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-tools-'));
    mkdirSync(join(folder, 'bin'));
    Object.assign(process.env, { ISTHMUS_CACHE: folder, PATH: join(folder, 'path') });
    for (const name of ['ISTHMUS_HELM3', 'ISTHMUS_ISTIOCTL', 'ISTHMUS_KWOK']) delete process.env[name];
  });
  after(() => {
    for (const name of ['ISTHMUS_CACHE', 'ISTHMUS_HELM3', 'ISTHMUS_ISTIOCTL', 'ISTHMUS_KWOK', 'PATH']) restore(name, saved[name]);
    rmSync(folder, { recursive: true });
  });

  test('says how to get a tool that is nowhere', async () => {
    const helm = await thrownBy(() => toolPath('helm3'));
    const istioctl = await thrownBy(() => toolPath('istioctl'));

    assert.match((helm as Error).message, `GOBIN=${folder}/bin go install helm.sh/helm/v3/cmd/helm@v3.22.0`);
    assert.match((helm as Error).message, 'ISTHMUS_HELM3');
    assert.match((istioctl as Error).message, 'go install istio.io/istio/istioctl/cmd/istioctl@v0.0.0-20260827124520-eed52ebb66ad');
  });

  test('finds a tool in the cache', () => {
    const file = program(join(folder, 'bin', 'kwok'));

    assert.is(toolPath('kwok'), file);
  });

  test('takes the one that a variable names, and nothing else when that is no program', async () => {
    program(join(folder, 'bin', 'helm3'));
    const mine = program(join(folder, 'my-helm'));

    process.env['ISTHMUS_HELM3'] = mine;
    assert.is(toolPath('helm3'), mine);

    process.env['ISTHMUS_HELM3'] = join(folder, 'gone');
    const error = await thrownBy(() => toolPath('helm3'));
    assert.match((error as Error).message, `ISTHMUS_HELM3 names ${folder}/gone, which is no program`);
  });
});

function program(file: string): string {
  writeFileSync(file, '#!/bin/sh\n');
  chmodSync(file, 0o755);
  return file;
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
