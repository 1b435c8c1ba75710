import { parseYaml } from '../../src/base/yaml.ts';
import { renderTemplate, templateChart, templateCharts, templateNames } from '../../src/render/templates.ts';
import { repositoryTemplates } from '../helpers/render.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const name = 'README.md.hbs';

function render(template: string, data: object): string {
  return renderTemplate({ [name]: template }, name, data);
}

async function errorOf(template: string, data: object): Promise<{ where?: string; kind?: string; message: string }> {
  return (await thrownBy(() => render(template, data))) as { where?: string; kind?: string; message: string };
}

describe('a template', ({ test }) => {
  test('writes values as they are, without escaping', () => {
    assert.is(render('{{a}}', { a: `<&"'{{ .Values.x }}` }), `<&"'{{ .Values.x }}`);
  });

  test('is an error that names it when it asks for data there is none of', async () => {
    const error = await errorOf('{{missing}}', {});

    assert.is(error.kind, 'usage');
    assert.is(error.where, 'templates/README.md.hbs');
    assert.match(error.message, 'missing');
  });

  test('is an error that names it when it is malformed', async () => {
    const error = await errorOf('{{#if a}}', { a: 1 });

    assert.is(error.where, 'templates/README.md.hbs');
  });

  test('knows no helper but its own', async () => {
    const error = await errorOf('{{shell "ls"}}', { shell: 'x' });

    assert.match(error.message, 'shell');
  });

  test('reaches no inherited property of its data', () => {
    for (const path of ['constructor', 'toString', '__proto__']) assert.is(render(`{{${path}}}`, {}), '', path);
  });

  test('that is missing is an error', async () => {
    const error = (await thrownBy(() => renderTemplate({}, name, {}))) as { where?: string };

    assert.is(error.where, 'templates/README.md.hbs');
  });
});

describe('helper yaml', ({ test }) => {
  test('indents every line of a block', () => {
    const text = render('a:\n{{yaml value 2}}\n', { value: { b: ['x', { c: 'two\n\nlines' }], d: 'ends in breaks\n\n\n' } });

    assert.equal(parseYaml(text, 'test').value, { a: { b: ['x', { c: 'two\n\nlines' }], d: 'ends in breaks\n\n\n' } });
  });

  test('quotes what YAML 1.1 readers take for something else', () => {
    for (const value of ['no', 'y', '1e3', '0x10', '12:30:45', '', '~', '- a', 'a: b', '#c', '{{ .Values.x }}', 'tab\there', '\u{7f}']) {
      const text = render('a:\n{{yaml value 2}}\n', { value: { [value]: value } });
      assert.equal(parseYaml(text, 'test').value, { a: { [value]: value } }, text);
    }
  });
});

describe('helper quote', ({ test }) => {
  test('makes one YAML string of any text', () => {
    for (const value of ['plain', 'no', 'with "quotes"', 'back\\slash', 'two\nlines', '\u{2028}', '\u{7f}', '\u{feff}', "it's", '{{x}}']) {
      const text = render('a: {{quote value}}\n', { value });
      assert.equal(parseYaml(text, 'test').value, { a: value }, text);
      assert.is(text.split('\n').length, 2, text);
    }
  });
});

describe('helper sh', ({ test }) => {
  test('leaves plain words alone and quotes the rest', () => {
    assert.is(render('{{sh value}}', { value: 'clusters/a-1/istio.remote' }), 'clusters/a-1/istio.remote');
    assert.is(render('{{sh value}}', { value: '' }), "''");
    assert.is(render('{{sh value}}', { value: '$(rm -rf /)' }), "'$(rm -rf /)'");
    assert.is(render('{{sh value}}', { value: "it's" }), String.raw`'it'\''s'`);
    assert.is(render('{{sh value}}', { value: 'two\nlines' }), "'two\nlines'");
  });

  test('joins several texts to one word', () => {
    assert.is(render('{{sh "Mesh " name "."}}', { name: 'a' }), "'Mesh a.'");
  });
});

describe('the templates of the repository', ({ test }) => {
  test('are those that render knows, and no others', () => {
    const paths = Object.keys(repositoryTemplates());
    const inCharts = (path: string) => templateCharts.some((chart) => path.startsWith(`charts/${chart}/`));

    assert.equal(paths.filter((path) => !inCharts(path)).sort(), [...templateNames].sort());
  });

  test('leave every file that helm templates to helm', () => {
    const both = Object.keys(repositoryTemplates()).filter((path) => path.startsWith('charts/') && path.endsWith('.hbs'));

    assert.equal(both, []);
  });

  test('hold the charts, with paths relative to the chart and in order', () => {
    for (const chart of templateCharts) {
      const paths = templateChart(repositoryTemplates(), chart).map(({ path }) => path);
      assert.ok(paths.includes('Chart.yaml'), chart);
      assert.ok(paths.includes('values.schema.json'), chart);
      assert.equal(paths, [...paths].sort(), chart);
    }
  });

  test('are missed by name when a chart is not there', async () => {
    const error = (await thrownBy(() => templateChart({}, 'istio-ilb'))) as { where?: string };

    assert.is(error.where, 'templates/charts/istio-ilb/');
  });
});
