// out/ of the mesh that the tests publish, and its packages.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MeshPlan } from '../../src/plan/types.ts';
import { packGenerated } from '../../src/publish/packages.ts';
import type { ChartPackage } from '../../src/publish/types.ts';
import { readGenerated } from '../../src/release/read.ts';
import { type RenderInput, renderMesh } from '../../src/render/mesh.ts';
import { createFiles } from '../../src/system/files.ts';
import { modernPlan } from '../helpers/plans.ts';
import { renderInput, writeArtifacts } from '../helpers/render.ts';

const files = createFiles();

/** Writes out/ into a new temporary folder, whose path it returns; `changes` are those of `renderInput`. */
export function generatedFolder(changes: Partial<RenderInput> = {}, plan: MeshPlan = modernPlan()): string {
  const folder = join(mkdtempSync(join(tmpdir(), 'isthmus-publish-')), 'out');
  writeArtifacts(folder, renderMesh(renderInput(plan, changes)));
  return folder;
}

/** The packages of a generated folder by chart name. */
export async function packagesOf(folder: string): Promise<ReadonlyMap<string, ChartPackage>> {
  const packages = await packGenerated(files, await readGenerated(files, folder));
  return new Map(packages.map((each) => [each.metadata.name, each]));
}
