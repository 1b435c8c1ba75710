// Handlebars behind one door: strict, nothing escaped, three helpers, and templates only from the package or the user's own folder.
import { createHash } from 'node:crypto';
import Handlebars from 'handlebars';
import { messageOf, usageError } from '../base/errors.ts';
import { toYaml } from '../base/yaml.ts';
import { precompiled } from './precompiled.ts';
import type { ChartFile, TemplateSources } from './types.ts';

/** Templates that Handlebars renders, by path below templates/. */
export const templateNames = [
  'README.md.hbs',
  'chart-README.md.hbs',
  'install.sh.hbs',
  'bundle-README.md.hbs',
  'bundle-install.sh.hbs',
  'bundle-verify.sh.hbs',
  'ilb-service.yaml.hbs',
  'demo/mesh.yaml.hbs',
] as const;

export type TemplateName = (typeof templateNames)[number];

/** Charts below templates/charts/: helm templates them, so their files are copied as they are. */
export const templateCharts = ['istio-ilb', 'namespaces', 'remote-token', 'remote-secret'] as const;

export type TemplateChart = (typeof templateCharts)[number];

/** What no shell reads as anything but itself. */
const plainWord = /^[A-Za-z0-9_./:@%+-]+$/;

/** How templates are compiled, here and by the build. */
export const compileOptions = {
  strict: true,
  noEscape: true,
  knownHelpersOnly: true,
  knownHelpers: { yaml: true, quote: true, sh: true },
};

export type Renderer = (data: object) => string;

const helpers = { yaml: yamlBlock, quote: quoted, sh: shellWord };

/**
 * Compiles one template; compiling costs more than rendering, so what is rendered several times is compiled once.
 * Helpers: `yaml value indent` writes a value as a YAML block, every line indented; `quote text` writes one YAML string;
 * `sh text ...` writes its texts as one word of a POSIX shell.
 * @param sources templates by path; the text is trusted as code is, so it must come from files of the package or of the user
 * @returns a function from data to text, line ends as in the template; every key the template names must be in the data, `undefined` included
 * @throws IsthmusError (usage) that names the template, now or when rendering, when it is missing, malformed, or asks for data there is none of
 */
export function compileTemplate(sources: TemplateSources, name: TemplateName): Renderer {
  const source = sources[name];
  if (source === undefined) throw usageError('the template is missing', { where: `templates/${name}` });
  const render = compile(source);
  return (data) => {
    try {
      return render(data);
    } catch (error) {
      const hint = 'Compare it with the template isthmus comes with.';
      throw usageError(messageOf(error), { where: `templates/${name}`, hint, cause: error });
    }
  };
}

/** Renders one template once; see `compileTemplate`. */
export function renderTemplate(sources: TemplateSources, name: TemplateName, data: object): string {
  return compileTemplate(sources, name)(data);
}

/** The files of one chart below templates/charts/, sorted by path; IsthmusError (usage) when there is none. */
export function templateChart(sources: TemplateSources, chart: TemplateChart): readonly ChartFile[] {
  const prefix = `charts/${chart}/`;
  const files = Object.entries(sources)
    .filter(([path]) => path.startsWith(prefix))
    .map(([path, contents]) => ({ path: path.slice(prefix.length), contents }));
  if (files.length === 0) throw usageError('the chart is missing', { where: `templates/${prefix}` });
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function compile(source: string): Renderer {
  const ready = precompiled.get(createHash('sha256').update(source).digest('hex'));
  const template = ready === undefined ? Handlebars.compile<object>(source, compileOptions) : Handlebars.template<object>(ready);
  return (data) => template(data, { helpers });
}

function yamlBlock(value: unknown, indent: unknown): string {
  const margin = ' '.repeat(typeof indent === 'number' ? indent : 0);
  return toYaml(value)
    .replace(/\n$/, '')
    .replaceAll(/^(?=.)/gm, margin);
}

/** JSON's string form is YAML's double-quoted one, but for characters that YAML does not allow to stand as they are. */
function quoted(value: unknown): string {
  return JSON.stringify(String(value)).replaceAll(/[\u{7f}-\u{9f}\u{2028}\u{2029}\u{feff}\u{fffe}\u{ffff}]/gu, unicodeEscape);
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Handlebars hands its options to a helper as the last argument. */
function shellWord(...parameters: readonly unknown[]): string {
  const word = parameters.slice(0, -1).join('');
  return plainWord.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
