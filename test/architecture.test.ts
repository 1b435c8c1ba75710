// The rules of the code that a reviewer should not have to check: import direction, file size, who imports what.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { assert, describe } from './helpers/suite.ts';

const source = join(import.meta.dirname, '..', 'src');

/** Folders in the order of the flow. A file may import its own folder and the folders listed for it. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  base: [],
  archive: ['base'],
  findings: ['base'],
  spec: ['base', 'findings', 'system/types'],
  facts: ['base', 'findings', 'system/types', 'spec/schema'],
  plan: ['base', 'findings', 'spec/schema', 'facts/schema'],
  render: ['base', 'findings', 'spec/schema', 'facts/schema', 'plan/types', 'plan/values'],
  trust: ['base', 'system/types'],
  release: ['base', 'system/types', 'render/types', 'trust'],
  verify: ['base', 'findings', 'system/types', 'spec/schema', 'plan/image', 'plan/values', 'render/types', 'release'],
  bundle: [
    'archive',
    'base',
    'system/types',
    'plan/image',
    'plan/values',
    'render/charts',
    'render/templates',
    'render/types',
    'release',
    'publish/packages',
    'publish/types',
  ],
  publish: ['archive', 'base', 'system/types', 'render/types', 'render/charts', 'release'],
  bookinfo: ['base', 'system/types'],
  system: ['base'],
  commands: [
    'archive',
    'bookinfo',
    'base',
    'findings',
    'spec',
    'facts',
    'plan',
    'render',
    'release',
    'verify',
    'bundle',
    'publish',
    'trust',
    'system/types',
  ],
  cli: ['base', 'commands', 'system'],
  index: ['base', 'findings', 'spec', 'facts', 'plan', 'render', 'bundle', 'publish', 'release', 'verify', 'trust', 'commands', 'system'],
  build: ['render/templates'],
};

/** Packages that one place alone may import, so that each has one way in. */
const onlyIn: Readonly<Record<string, readonly string[]>> = {
  yaml: ['base/yaml.ts'],
  execa: ['system/'],
  '@kubernetes/client-node': ['system/'],
  commander: ['cli.ts', 'commands/'],
  handlebars: ['render/', 'build.ts'],
  '@peculiar/asn1-schema': ['trust/'],
  '@peculiar/asn1-x509': ['trust/'],
  esbuild: ['build.ts'],
  fflate: ['archive/'],
  'node:fs': ['system/', 'build.ts'],
  'node:fs/promises': ['system/', 'build.ts'],
  'node:child_process': ['build.ts'],
  'node:process': [],
};

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function readSources(): SourceFile[] {
  return readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => {
      const text = readFileSync(join(source, path), 'utf8');
      const imports = [...text.matchAll(/(?:^|\n)(?:import|export)[^;'"]*?from '([^']+)'|import\('([^']+)'\)/g)].map(
        (match) => match[1] ?? match[2] ?? '',
      );
      return { path, text, imports };
    });
}

function target(file: SourceFile, specifier: string): string {
  return relative(source, join(source, dirname(file.path), specifier)).replace(/\.ts$/, '');
}

function areaOf(path: string): string {
  return (path.split('/')[0] ?? '').replace(/\.ts$/, '');
}

const files = readSources();

describe('the source tree', ({ test }) => {
  test('imports point one way', () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => target(file, specifier))
        .filter((to) => areaOf(to) !== areaOf(file.path))
        .filter((to) => !(mayImport[areaOf(file.path)] ?? []).some((allowed) => to === allowed || to.startsWith(`${allowed}/`)))
        .map((to) => `${file.path} -> ${to}`),
    );

    assert.equal(wrong, []);
  });

  test('has no import cycle', () => {
    const graph = new Map(
      files.map((file) => [file.path.replace(/\.ts$/, ''), file.imports.filter((to) => to.startsWith('.')).map((to) => target(file, to))]),
    );
    const done = new Set<string>();
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) throw new Error(`cycle: ${[...trail, path].join(' -> ')}`);
      if (done.has(path)) return;
      for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
      done.add(path);
    };

    for (const path of graph.keys()) visit(path, []);
  });

  test('keeps files within 250 lines', () => {
    const long = files.filter((file) => file.text.split('\n').length > 251).map((file) => file.path);

    assert.equal(long, []);
  });

  test('opens every file with a sentence on what it is for', () => {
    const silent = files.filter((file) => !/^(#!.*\n)?\/\/ \S/.test(file.text)).map((file) => file.path);

    assert.equal(silent, []);
  });

  test('gives each package one way in', () => {
    const wrong = files.flatMap((file) =>
      Object.entries(onlyIn)
        .filter(([name, places]) => file.imports.includes(name) && !places.some((place) => file.path.startsWith(place)))
        .map(([name]) => `${file.path} imports ${name}`),
    );

    assert.equal(wrong, []);
  });

  test('touches process only at the edge', () => {
    const edge = ['cli.ts', 'build.ts', 'system/'];
    const wrong = files
      .filter(
        (file) =>
          !edge.some((place) => file.path.startsWith(place)) && /\bprocess\.|\bconsole\.|\bnew Date\(\)|Date\.now\(/.test(file.text),
      )
      .map((file) => file.path);

    assert.equal(wrong, []);
  });

  test('keeps uvu behind the suite helper', () => {
    const tests = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
    const wrong = tests.filter(
      (path) =>
        /from 'uvu(\/|')/.test(readFileSync(join(import.meta.dirname, path), 'utf8')) && path !== 'helpers/suite.ts' && path !== 'run.ts',
    );

    assert.equal(wrong, []);
  });
});
