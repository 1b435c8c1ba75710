// The operator of the lab's clusters: a shell on the workstation with the built CLI, one helm, kubectl and istioctl.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseYaml, toYaml } from '../../src/base/yaml.ts';
import type { Helm } from '../helpers/helm.ts';
import { assert } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';
import type { Lab } from '../lab/nodes/lab.ts';

const cli = join(import.meta.dirname, '..', '..', 'dist', 'cli.js');

export interface Outcome {
  /** Exit code, or the name of the signal that ended it. */
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running CLI: the process, and what becomes of it. */
export interface Running {
  readonly child: ChildProcess;
  readonly outcome: Promise<Outcome>;
}

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
  if (!existsSync(cli)) throw new Error('dist/cli.js is missing; run npm run build');
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-operator-'));
  const env = environment(lab, folder, helm);
  const start = (program: string, ...args: string[]) => startIn(lab, { folder, env }, [program, ...args]);
  const run = async (program: string, ...args: string[]) => {
    const outcome = await start(program, ...args).outcome;
    assert.is(outcome.code, 0, `${program} ${args.join(' ')}\n${outcome.stdout}${outcome.stderr}`);
    return outcome;
  };
  const isthmus = (...args: string[]) => run(process.execPath, cli, ...args);
  return {
    folder,
    start: (...args) => start(process.execPath, cli, ...args),
    isthmus,
    run: async (program, ...args) => (await run(program, ...args)).stdout,
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
function environment(lab: Lab, folder: string, helm: Helm): Record<string, string> {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(toolPath(helm), join(bin, 'helm'));
  for (const name of ['istioctl', 'kubectl'] as const) symlinkSync(toolPath(name), join(bin, name));
  return {
    PATH: `${bin}:${dirname(process.execPath)}:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: folder,
    KUBECONFIG: lab.clusters.map(({ kubeconfig }) => kubeconfig).join(':'),
  };
}

function startIn(lab: Lab, { folder, env }: { folder: string; env: Record<string, string> }, command: readonly string[]): Running {
  const [program = '', ...args] = [...lab.workstation, ...command];
  // Its own process group, so that a test can end it with or without what it has started.
  const child = spawn(program, args, { cwd: folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  for (const stream of ['stdout', 'stderr'] as const) child[stream].on('data', (chunk: Buffer) => chunks[stream].push(chunk));
  const outcome = once(child, 'close').then(([code, signal]: unknown[]): Outcome => {
    const [stdout, stderr] = [chunks.stdout, chunks.stderr].map((all) => Buffer.concat(all).toString()) as [string, string];
    return { code: (code ?? signal) as number | string, stdout, stderr };
  });
  return { child, outcome };
}
