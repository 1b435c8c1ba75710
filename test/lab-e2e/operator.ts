// The operator of the lab's clusters: a shell on the workstation with the built CLI, one helm, kubectl and istioctl.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseYaml, toYaml } from '../../src/base/yaml.ts';
import type { Helm } from '../helpers/helm.ts';
import { isthmusCommand, type Outcome, type Running, shellEnvironment, startIn, succeeded } from '../helpers/shell.ts';
import { toolPath } from '../helpers/tools.ts';
import type { Lab } from '../lab/nodes/lab.ts';

/** The fields of mesh.yaml that tests change. */
export interface MeshFile {
  readonly istio: Record<string, unknown>;
  readonly clusters: Record<string, unknown>[];
  routes?: Record<string, unknown>;
  ignore?: readonly string[];
}

export interface Operator {
  /** Working folder of everything that is run. */
  readonly folder: string;
  /** Starts the CLI. */
  start(...args: string[]): Running;
  /** Runs the CLI to its end and expects success. */
  isthmus(...args: string[]): Promise<Outcome>;
  /** Runs another program to its end and returns what it prints; fails when it does. */
  run(program: string, ...args: string[]): Promise<string>;
  /** Writes mesh.yaml as a user would: by init for all clusters of the lab, then edited. */
  writeMesh(edit: (mesh: MeshFile) => void): Promise<void>;
  remove(): void;
}

/** Makes the operator's home; `helm` is what the name helm means there. */
export function createOperator(lab: Lab, helm: Helm = 'helm4'): Operator {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-operator-'));
  const shell = { folder, env: environment(lab, folder, helm), before: lab.workstation };
  const start = (...args: string[]) => startIn(shell, isthmusCommand(...args));
  const isthmus = (...args: string[]) => succeeded(start(...args), `isthmus ${args.join(' ')}`);
  return {
    folder,
    start,
    isthmus,
    run: async (...command) => (await succeeded(startIn(shell, command), command.join(' '))).stdout,
    writeMesh: async (edit) => {
      const contexts = lab.clusters.flatMap(({ name }) => ['--context', name]);
      const { stdout } = await isthmus('init', '--name', 'bookinfo', ...contexts);
      const mesh = parseYaml(stdout, 'mesh.yaml').value as MeshFile;
      edit(mesh);
      writeFileSync(join(folder, 'mesh.yaml'), toYaml(mesh));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Only what a user's shell has: the tools, the system's programs, a kubeconfig for each cluster. */
function environment({ clusters }: Lab, folder: string, helm: Helm): Record<string, string> {
  const programs = { helm: toolPath(helm), istioctl: toolPath('istioctl'), kubectl: toolPath('kubectl') };
  return shellEnvironment(folder, { bin: 'bin', programs, kubeconfigs: clusters.map(({ kubeconfig }) => kubeconfig) });
}
