// Builds dist/: the bundled CLI and library, their types, and the licences of what was bundled.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build, type Metafile, type Plugin } from 'esbuild';
import Handlebars from 'handlebars';
import { compileOptions, templateNames } from './render/templates.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/** Names that the generated half of the Kubernetes client takes from undici; nothing that isthmus calls uses them. */
const undiciNames = ['Agent', 'ProxyAgent', 'fetch', 'FormData', 'Headers'];

/**
 * Keeps of @kubernetes/client-node what reads a kubeconfig and authenticates (0.3 MB instead of 1.7 MB, a third of the start time).
 * The package does not say that its modules have no side effects, and its HTTP client undici, which isthmus never calls, does
 * not run on Node 20.
 */
const slimKubernetesClient: Plugin = {
  name: 'slim-kubernetes-client',
  setup(build) {
    const seen = Symbol('seen');
    build.onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'unused', sideEffects: false }));
    build.onLoad({ filter: /^undici$/, namespace: 'unused' }, () => ({
      contents: undiciNames.map((name) => `export const ${name} = undefined;`).join('\n'),
    }));
    build.onResolve({ filter: /^[^/]/ }, async ({ path, pluginData, ...where }) => {
      const ours = path === '@kubernetes/client-node' || where.importer.includes('/node_modules/@kubernetes/client-node/');
      if (pluginData === seen || !ours) return undefined;
      return { ...(await build.resolve(path, { ...where, pluginData: seen })), sideEffects: false };
    });
  },
};

/** Handlebars can make source maps of templates and carries a library for it; isthmus never asks for one. */
const withoutSourceMaps: Plugin = {
  name: 'without-source-maps',
  setup(build) {
    build.onResolve({ filter: /^source-map$/ }, () => ({ path: 'source-map', namespace: 'absent' }));
    build.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: "throw new Error('no source maps');" }));
  },
};

/** Compiling the package's templates takes a third of the time of `isthmus generate`, so it is done here. */
const precompiledTemplates: Plugin = {
  name: 'precompiled-templates',
  setup(build) {
    build.onLoad({ filter: /\/render\/precompiled\.ts$/ }, () => ({
      contents: `export const precompiled = new Map([${templateNames.map(precompile).join()}]);`,
    }));
  },
};

function precompile(name: string): string {
  const source = readFileSync(`templates/${name}`, 'utf8');
  const hash = createHash('sha256').update(source).digest('hex');
  return `['${hash}', ${Handlebars.precompile(source, compileOptions)}]`;
}

rmSync('dist', { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { cli: 'src/cli.ts', index: 'src/index.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  minifySyntax: true,
  minifyWhitespace: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  chunkNames: 'chunks/[name]-[hash]',
  // Bundled CommonJS packages call require for the modules of Node. Some packages import createRequire themselves, by that name.
  banner: { js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);" },
  metafile: true,
  plugins: [slimKubernetesClient, withoutSourceMaps, precompiledTemplates],
  define: { ISTHMUS_VERSION: JSON.stringify(version) },
});
chmodSync('dist/cli.js', 0o755);
writeFileSync('dist/LICENSES.txt', licences(metafile));
execFileSync('node_modules/.bin/tsc', ['-p', 'src/tsconfig.json'], { stdio: 'inherit' });

/** The licence of every package that has code in the bundle; a package without one stops the build. */
function licences({ outputs }: Metafile): string {
  const inputs = Object.values(outputs).flatMap((output) => Object.keys(output.inputs));
  const folders = new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0] ?? []));
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as Record<string, string>;
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined && license === undefined) throw new Error(`${folder} names no licence`);
    const text = file === undefined ? '' : `\n${readFileSync(`${folder}/${file}`, 'utf8').trim()}\n`;
    return `${name} ${version} (${license})\n${text}`;
  });
  return `isthmus contains code of these packages.\n\n${texts.join(`\n${'-'.repeat(72)}\n\n`)}`;
}
