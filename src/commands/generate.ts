// isthmus generate: from mesh.yaml to charts in a folder.
import { isAbsolute, join, relative, resolve } from 'node:path';
import { exitCodes, IsthmusError } from '../base/errors.ts';
import { isthmusVersion } from '../base/version.ts';
import type { MeshPlan } from '../plan/types.ts';
import { renderMesh } from '../render/mesh.ts';
import { describeFindings } from '../render/plan-text.ts';
import type { ChartSources, TemplateSources } from '../render/types.ts';
import type { LoadedMesh } from '../spec/schema.ts';
import type { System } from '../system/types.ts';
import { refuseInside } from '../trust/place.ts';
import { readIstioCharts } from './istio-charts.ts';
import { readInputs, readMesh } from './load.ts';
import { paint } from './output.ts';
import { blockingFindings, planLoaded } from './plan.ts';
import { factsFiles, type Source } from './source.ts';
import type { Run } from './types.ts';
import { type WriteOptions, type Written, writeArtifacts } from './write.ts';

export interface GenerateOptions {
  /** Output folder as the user named it. */
  readonly out: string;
  /** Folder of templates that replace isthmus's own. */
  readonly templates?: string;
  readonly edited: WriteOptions['edited'];
}

export const run: Run = async (system, args) => {
  const templates = args.option('templates');
  const options = {
    out: args.option('out') ?? 'out',
    edited: args.switch('overwrite') ? ('replace' as const) : ('refuse' as const),
    ...(templates === undefined ? {} : { templates }),
  };
  const loaded = await readMesh(system, args.option('file') ?? 'mesh.yaml');
  const inputs = await readInputs(system, loaded);
  const plan = planLoaded(system, loaded, inputs);
  refuseBlocked(system, plan);
  const written = await generate(system, { loaded, inputs, plan }, options);
  system.terminal.err(paint(system.terminal, describeFindings(plan)));
  system.terminal.out(describeWritten(options.out, plan, written));
  return exitCodes.ok;
};

/** Renders a plan and writes it into the output folder. */
export async function generate(system: System, source: Source & { readonly plan: MeshPlan }, options: GenerateOptions): Promise<Written> {
  const folder = resolve(system.cwd, options.out);
  const { ca } = source.loaded.mesh.istio;
  if (ca !== undefined) refuseInside(resolve(source.loaded.folder, ca), folder);
  const artifacts = renderMesh({
    plan: source.plan,
    loaded: withPathsFrom(source.loaded, folder),
    facts: factsFiles(source.inputs),
    charts: { ...(await readCharts(system)), ...(await readIstioCharts(system, source, folder)) },
    templates: await readTemplates(system, options.templates),
    version: isthmusVersion,
  });
  return writeArtifacts(system.files, folder, artifacts, { shown: options.out, edited: options.edited });
}

/** Stops when the plan has findings that must not be built on. */
export function refuseBlocked(system: System, plan: MeshPlan): void {
  const blocking = blockingFindings(plan);
  if (blocking.length === 0) return;
  system.terminal.err(paint(system.terminal, describeFindings(plan)));
  const codes = [...new Set(blocking.map((finding) => finding.code))].join(', ');
  throw new IsthmusError('findings', `the plan has ${blocking.length === 1 ? 'an error' : `${blocking.length} errors`}: ${codes}`, {
    hint: `\`isthmus explain ${blocking[0]?.code}\` tells more; \`ignore: [${codes}]\` in mesh.yaml accepts them.`,
  });
}

/** isthmus's own templates, with those of a user's folder in their place. */
export async function readTemplates(system: System, folder: string | undefined): Promise<TemplateSources> {
  const own = await readTree(system, join(system.packageFolder, 'templates'));
  if (folder === undefined) return own;
  return { ...own, ...(await readTree(system, resolve(system.cwd, folder))) };
}

async function readCharts(system: System): Promise<ChartSources> {
  const charts: Record<string, { path: string; contents: string }[]> = {};
  for (const [path, contents] of Object.entries(await readTree(system, join(system.packageFolder, 'charts')))) {
    const slash = path.indexOf('/');
    const name = path.slice(0, slash);
    charts[name] = [...(charts[name] ?? []), { path: path.slice(slash + 1), contents }];
  }
  return charts;
}

async function readTree(system: System, folder: string): Promise<Record<string, string>> {
  const paths = await system.files.list(folder);
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await system.files.read(join(folder, path))] as const)));
}

/** Paths of kubeconfigs and keys as seen from the output folder, so that install finds them wherever both are moved together. */
function withPathsFrom(loaded: LoadedMesh, folder: string): LoadedMesh {
  const move = (path: string) => (isAbsolute(path) ? path : relative(folder, resolve(loaded.folder, path)));
  const clusters = loaded.mesh.clusters.map((cluster) =>
    cluster.kubeconfig === undefined ? cluster : { ...cluster, kubeconfig: move(cluster.kubeconfig) },
  );
  const { ca } = loaded.mesh.istio;
  const istio = ca === undefined ? loaded.mesh.istio : { ...loaded.mesh.istio, ca: move(ca) };
  return { ...loaded, mesh: { ...loaded.mesh, istio, clusters } };
}

function describeWritten(out: string, plan: MeshPlan, written: Written): string {
  const ready = plan.clusters.flatMap((cluster) =>
    cluster.releases
      .filter((release) => release.waitsFor.length === 0)
      .map((release) => `  ${join(out, 'clusters', cluster.name, release.name)}\n`),
  );
  const waiting = plan.clusters.flatMap((cluster) =>
    cluster.releases.flatMap((release) =>
      release.waitsFor.map((what) => `  ${release.name} in ${cluster.name} waits for the ${what}; isthmus install fills it in\n`),
    ),
  );
  const counts = `${written.changed} files written, ${written.unchanged} unchanged${written.removed > 0 ? `, ${written.removed} removed` : ''}`;
  return `${counts}\n${ready.join('')}${waiting.join('')}\nNext: look at ${join(out, 'README.md')}, then isthmus install ${out}\n`;
}
