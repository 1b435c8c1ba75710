// The tests that every hand-written chart passes: generated files current, lint and goldens with both helms, house rules of templates.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type * as z from 'zod';
import type { KubeObject } from '../../src/base/objects.ts';
import { parseYaml, toYamlStream } from '../../src/base/yaml.ts';
import { valuesJsonSchema, valuesTable, valuesYaml } from '../../src/render/values.ts';
import { matchGolden } from './golden.ts';
import { kubeVersion, lintBoth, notesOf, templateBoth } from './helm.ts';
import { assert, describe } from './suite.ts';

export interface ChartUnderTest {
  /** Name of the chart, which is its folder below charts/. */
  readonly name: string;
  /** Schema of its values, from src/plan/values. */
  readonly schema: z.ZodType;
  /** Namespace of the rendered goldens; another one is tried as well. */
  readonly namespace: string;
  /** Kubernetes versions of the goldens, newest first; the first gives `<case>.yaml`, others `<case>-<version>.yaml`. */
  readonly kubeVersions?: readonly string[];
}

const valuesBegin = '<!-- values: begin (made from the schema by npm run test:update) -->';
const valuesEnd = '<!-- values: end -->';
const annotations = ['license', 'category', 'links', 'changes'];

/** Folder of a hand-written chart. */
export function chartFolder(name: string): string {
  return join(import.meta.dirname, '..', '..', 'charts', name);
}

/** The ci/*-values.yaml of a chart by case name, in order of name. */
export function ciCases(name: string): { readonly name: string; readonly file: string }[] {
  const folder = join(chartFolder(name), 'ci');
  return readdirSync(folder)
    .filter((file) => file.endsWith('-values.yaml'))
    .sort()
    .map((file) => ({ name: file.slice(0, -'-values.yaml'.length), file: join(folder, file) }));
}

/** Compares a file of the repository with what it should hold; ISTHMUS_UPDATE=1 rewrites it. */
export function matchGenerated(file: string, expected: string): void {
  if (process.env['ISTHMUS_UPDATE'] === '1') writeFileSync(file, expected);
  assert.fixture(readFileSync(file, 'utf8'), expected, `${file} is not what the schema says; run npm run test:update`);
}

/** Puts text between two marker lines of a file's text; fails when a marker is missing. */
export function replaceBetween(text: string, begin: string, end: string, contents: string): string {
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the text lacks the lines ${begin} and ${end}`);
  return `${text.slice(0, from + begin.length)}\n${contents}\n${text.slice(to)}`;
}

/** Defines the suite of tests that every chart passes. A chart's own test file calls it and adds suites of its own. */
export function describeChart(chart: ChartUnderTest): void {
  describeFiles(chart);
  describeRendering(chart);
}

function describeFiles({ name, schema }: ChartUnderTest): void {
  const folder = chartFolder(name);

  describe(`files of chart ${name}`, ({ test }) => {
    test('values.yaml and values.schema.json come from the schema', () => {
      matchGenerated(join(folder, 'values.yaml'), valuesYaml(schema, {}));
      matchGenerated(join(folder, 'values.schema.json'), valuesJsonSchema(schema));
    });

    test('the README lists the values', () => {
      const file = join(folder, 'README.md');

      const current = replaceBetween(readFileSync(file, 'utf8'), valuesBegin, valuesEnd, valuesTable(schema));

      matchGenerated(file, current);
    });

    test('Chart.yaml says what a registry shows', () => {
      const chart = readYaml(join(folder, 'Chart.yaml')) as Record<string, Record<string, string>>;

      assert.is(chart['name'], name);
      for (const key of ['version', 'appVersion', 'kubeVersion', 'description', 'home', 'sources', 'keywords', 'maintainers'])
        assert.ok(chart[key], `Chart.yaml has no ${key}`);
      const images = templates(folder).some(({ text }) => /^ *image: /m.test(text)) ? ['images'] : [];
      for (const key of [...annotations, ...images])
        assert.ok(chart['annotations']?.[`artifacthub.io/${key}`], `no annotation artifacthub.io/${key}`);
    });

    test('every value is used by a template', () => {
      const text = templates(folder).map((file) => file.text);

      const unused = leafPaths(schema).filter((path) => !text.some((template) => uses(template, path)));

      assert.equal(unused, []);
    });

    test('templates hold one kind each, and helpers carry the name of the chart and a comment', () => {
      for (const { file, text } of templates(folder)) {
        assert.ok(new Set(text.match(/^kind: .*$/gm)).size <= 1, `${file} holds several kinds`);
        assert.not.match(text, '.Chart.Name');
        for (const [, before, defined] of text.matchAll(/(.*\n?){{-? *define "([^"]+)"/g)) {
          assert.ok(defined?.startsWith(`${name}.`), `${file} defines ${defined}`);
          assert.match(before ?? '', /\*\/ *-?}}\s*$/, `${defined} in ${file} has no comment above it`);
        }
      }
    });
  });
}

function describeRendering({ name, schema, namespace, kubeVersions = [kubeVersion] }: ChartUnderTest): void {
  const folder = chartFolder(name);
  const cases = ciCases(name);

  describe(`rendering of chart ${name}`, ({ test }) => {
    test('there are ci values', () => assert.ok(cases.length > 0));

    for (const { name: title, file } of cases) {
      test(`${title}: the values keep the schema`, () => {
        const result = schema.safeParse(readYaml(file));

        assert.ok(result.success, result.error?.message);
      });

      for (const version of kubeVersions) {
        test(`${title}: lints and renders as recorded for Kubernetes ${version}`, async () => {
          const options = { files: [file], namespace, kubeVersion: version, release: name };
          const suffix = version === kubeVersions[0] ? '' : `-${version}`;

          const [objects] = await Promise.all([templateBoth(folder, options), lintBoth(folder, options)]);

          matchGolden(`charts/${name}/${title}${suffix}.yaml`, toYamlStream(objects));
        });
      }

      test(`${title}: says what was installed and what comes next`, async () => {
        const notes = await notesOf(folder, { files: [file], namespace, release: name });

        assert.not.match(notes, /<no value>|<nil>|%!/);
        matchGolden(`charts/${name}/${title}.notes.txt`, `${notes.trimEnd()}\n`);
      });

      test(`${title}: makes the same objects under another chart name and version`, async () => {
        const options = { files: [file], namespace, release: name, kubeVersion: kubeVersions[0] ?? kubeVersion };
        const copy = copyRenamed(folder);

        const [ours, renamed] = await Promise.all([templateBoth(folder, options), templateBoth(copy, options)]);

        rmSync(dirname(copy), { recursive: true });
        assert.is(withoutChart(renamed), withoutChart(ours));
      });

      test(`${title}: follows the namespace of the release`, async () => {
        const objects = await templateBoth(folder, { files: [file], namespace: 'elsewhere', kubeVersion: kubeVersions[0] ?? kubeVersion });

        assert.not.match(JSON.stringify(objects), `"${namespace}"`);
      });
    }
  });
}

/** A copy as `isthmus generate` makes it: the name carries the cluster, the version a digest. */
function copyRenamed(folder: string): string {
  const copy = join(mkdtempSync(join(tmpdir(), 'isthmus-chart-')), 'copy');
  cpSync(folder, copy, { recursive: true });
  const file = join(copy, 'Chart.yaml');
  const renamed = readFileSync(file, 'utf8').replace(/^(name: .*)$/m, '$1-cluster2');
  writeFileSync(file, renamed.replace(/^(version: .*)$/m, '$1+0123456789ab'));
  return copy;
}

function withoutChart(objects: readonly KubeObject[]): string {
  return toYamlStream(objects).replaceAll(/helm\.sh\/chart: .*/g, '');
}

function readYaml(file: string): unknown {
  return parseYaml(readFileSync(file, 'utf8'), basename(file)).value;
}

function templates(folder: string): { file: string; text: string }[] {
  return readdirSync(join(folder, 'templates')).map((file) => ({ file, text: readFileSync(join(folder, 'templates', file), 'utf8') }));
}

function leafPaths(schema: z.ZodType): string[] {
  return [...valuesTable(schema).matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] ?? '');
}

/** True when the template names the value, or hands on one of its parents whole. */
function uses(template: string, path: string): boolean {
  const keys = path.split('.');
  const parents = keys.map((_, index) => keys.slice(0, index + 1).join('\\.'));
  return parents.some((parent, index) =>
    new RegExp(`\\.Values\\.${parent}\\b${index === keys.length - 1 ? '' : '(?!\\.)'}`).test(template),
  );
}
