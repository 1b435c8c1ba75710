// What README.md says is true: its commands, flags, links, example files and its picture.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commands } from '../src/commands/table.ts';
import { declaredFacts } from '../src/facts/declared.ts';
import { planMesh } from '../src/plan/mesh.ts';
import { renderDemoMesh } from '../src/render/demo.ts';
import { topologySvg } from '../src/render/topology.ts';
import { loadMesh } from '../src/spec/load.ts';
import { matchCommitted } from './helpers/files.ts';
import { assert, describe } from './helpers/suite.ts';

const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

/** Code blocks of one language. */
function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map((match) => match[1] ?? '');
}

/** Command lines of all shell blocks, without comments. */
function commandLines(): string[] {
  return blocks('sh').flatMap((block) =>
    block
      .split('\n')
      .map((line) => line.replace(/\s*#.*$/, '').trim())
      .filter((line) => line !== ''),
  );
}

function flagsOf(name: string): string[] {
  const spec = commands.find((command) => command.name === name);
  return (spec?.options ?? []).flatMap((option) => option.flags.split(/[ ,]+/).filter((word) => word.startsWith('-')));
}

describe('README.md', ({ test }) => {
  test('names only commands and flags that exist', () => {
    const lines = commandLines().filter((line) => line.startsWith('isthmus '));

    assert.ok(lines.length >= 5);
    for (const line of lines) {
      const words = line
        .replace(/ [>|].*$/, '')
        .split(' ')
        .slice(1);
      // The longest name that fits: `bundle install` is a command of its own.
      const name = [words.slice(0, 2).join(' '), words[0] ?? ''].find((each) => commands.some((command) => command.name === each)) ?? '';
      assert.ok(name !== '', line);
      for (const flag of words.filter((word) => word.startsWith('-'))) assert.ok(flagsOf(name).includes(flag), line);
    }
  });

  test('names only npm scripts that exist', () => {
    const named = commandLines().flatMap((line) =>
      [...line.matchAll(/npm (?:run ([\w:]+)|(start|test)\b)/g)].map((match) => match[1] ?? match[2] ?? ''),
    );

    assert.ok(named.length >= 5);
    for (const name of named) assert.ok(scripts[name] !== undefined, name);
  });

  test('starts the demo with npm start', () => {
    assert.is(scripts['start'], 'node dist/cli.js demo');
  });

  test('links only to files that exist', () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1] ?? '').filter((link) => !link.startsWith('https://'));

    assert.ok(links.length >= 8);
    for (const link of links) assert.ok(existsSync(join(root, link)), link);
  });

  test('shows mesh files that load', () => {
    const meshes = blocks('yaml');

    assert.is(meshes.length, 1);
    for (const mesh of meshes) assert.is(loadMesh(mesh, 'README.md', root).mesh.metadata.name, 'bookinfo');
  });

  test('shows the picture that isthmus makes of the demo', () => {
    const templates = { 'demo/mesh.yaml.hbs': readFileSync(join(root, 'templates/demo/mesh.yaml.hbs'), 'utf8') };
    const loaded = loadMesh(renderDemoMesh(templates, '0.8.0'), 'mesh.yaml', root);
    const inputs = loaded.mesh.clusters.flatMap((cluster, index) => {
      const declared = declaredFacts(cluster, (path) => loaded.locate(['clusters', index, ...path]));
      return declared === undefined ? [] : [{ name: cluster.name, declared }];
    });

    matchCommitted('docs/topology.svg', topologySvg(planMesh({ mesh: loaded.mesh, inputs })));
  });
});
