// isthmus plan: what will be, and why.
import { exitCodes } from '../base/errors.ts';
import type { Finding } from '../findings/types.ts';
import { planMesh } from '../plan/mesh.ts';
import type { ClusterInput, MeshPlan } from '../plan/types.ts';
import { describePlan } from '../render/plan-text.ts';
import type { LoadedMesh } from '../spec/schema.ts';
import type { System } from '../system/types.ts';
import { readInputs, readMesh } from './load.ts';
import { printResult } from './output.ts';
import type { Run } from './types.ts';

export const run: Run = async (system, args) => {
  const loaded = await readMesh(system, args.option('file') ?? 'mesh.yaml');
  const plan = planLoaded(system, loaded, await readInputs(system, loaded));
  printResult(system.terminal, args, { value: plan, text: () => describePlan(plan) });
  return blockingFindings(plan).length > 0 ? exitCodes.findings : exitCodes.ok;
};

/** The plan of a loaded mesh as of now. */
export function planLoaded(system: System, loaded: LoadedMesh, inputs: readonly ClusterInput[]): MeshPlan {
  return planMesh({ mesh: loaded.mesh, inputs, now: system.clock.now(), locate: loaded.locate });
}

/** Findings that stop generate and install: errors that the user does not ignore. */
export function blockingFindings(plan: MeshPlan): Finding[] {
  return plan.findings.filter((finding) => finding.severity === 'error' && finding.ignored !== true);
}
