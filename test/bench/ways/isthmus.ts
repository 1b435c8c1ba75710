// The way of isthmus: describe the mesh, generate, install. The same lines whether routes or gateways join the pods.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseYaml, toYaml } from '../../../src/base/yaml.ts';
import { bookinfoHub } from '../../lab/nodes/images.ts';
import { istioCharts } from '../../lab/toolchain.ts';
import { askForIstio } from '../../lab-e2e/empty-mesh.ts';
import type { MeshFile } from '../../lab-e2e/operator.ts';
import type { Way } from './types.ts';

/** @param balanced clusters that have a load balancer */
export function byIsthmus(balanced: readonly string[]): Way {
  return {
    name: 'isthmus',
    install: async ({ type, operator }) => {
      await type('isthmus init --name bookinfo --context c1 --context c2 > mesh.yaml');
      await editMesh(join(operator.folder, 'mesh.yaml'), balanced);
      await type('isthmus generate');
      await type('isthmus install');
    },
    deploy: async ({ type }) => {
      await type(`isthmus demo bookinfo --hub ${bookinfoHub}`);
    },
  };
}

/** What is edited is no command, here as by hand. */
async function editMesh(file: string, balanced: readonly string[]): Promise<void> {
  const mesh = parseYaml(readFileSync(file, 'utf8'), file).value as MeshFile;
  askForIstio(mesh, await istioCharts(), balanced);
  writeFileSync(file, toYaml(mesh));
}
