// isthmus demo: the two clusters of the 2018 procedure, recorded, planned and generated without any cluster; or BookInfo on a real mesh.
import { join, resolve } from 'node:path';
import { exitCodes, usageError } from '../base/errors.ts';
import { renderDemoMesh } from '../render/demo.ts';
import { describePlan } from '../render/plan-text.ts';
import { loadMesh } from '../spec/load.ts';
import { generate, readTemplates, refuseBlocked } from './generate.ts';
import { readInputs } from './load.ts';
import { paint } from './output.ts';
import { planLoaded } from './plan.ts';
import type { Run } from './types.ts';

export const run: Run = async (system, args) => {
  if (args.positionals[0] === 'bookinfo') return (await import('./bookinfo.ts')).run(system, args);
  const out = args.option('out') ?? 'isthmus-demo';
  const istioVersion = args.option('istio') ?? '0.8.0';
  const text = renderDemoMesh(await readTemplates(system, undefined), istioVersion);
  const loaded = loadDemo(text, istioVersion, resolve(system.cwd, out));
  const inputs = await readInputs(system, loaded);
  const plan = planLoaded(system, loaded, inputs);
  refuseBlocked(system, plan);
  await generate(system, { loaded, inputs, plan }, { out, edited: 'refuse' });
  const next = `look at ${join(out, 'README.md')}, ${join(out, 'topology.svg')} and the charts in ${join(out, 'clusters')}`;
  system.terminal.out(paint(system.terminal, describePlan(plan, next)));
  return exitCodes.ok;
};

function loadDemo(text: string, istioVersion: string, folder: string) {
  try {
    return loadMesh(text, 'mesh.yaml', folder);
  } catch (error) {
    // Only the version comes from the user; everything else in the demo is ours.
    throw usageError(`--istio ${istioVersion} cannot be used`, { hint: 'Give a full version: 0.8.0, or 1.24.0 and later.', cause: error });
  }
}
