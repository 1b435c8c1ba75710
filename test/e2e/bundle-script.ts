// install.sh of an unpacked bundle, run where there is kubectl and next to nothing else.
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Outcome, startIn } from '../helpers/shell.ts';
import { assert } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';
import type { Scene } from './scene.ts';

export const shells = ['dash', 'busybox'] as const;
export type Shell = (typeof shells)[number];

/** All that the script may use besides kubectl. */
const programs = ['sha256sum', 'cat', 'sleep'];

export interface BundleScript {
  /** Runs it to its end. */
  run(shell: Shell, args: readonly string[]): Promise<Outcome>;
  /** Runs it and expects success; what it has printed. */
  succeed(shell: Shell, args: readonly string[]): Promise<string>;
}

/**
 * @param bundle folder of the unpacked bundle
 * @param before words before the command, such as those that enter a network
 */
export function bundleScript(scene: Scene, bundle: string, before: readonly string[] = []): BundleScript {
  const kubeconfigs = scene.clusters.map(({ kubeconfig }) => kubeconfig).join(':');
  const run = (shell: Shell, args: readonly string[]) => {
    const env = { PATH: onlyKubectl(scene.folder, shell), HOME: scene.folder, KUBECONFIG: kubeconfigs };
    const interpreter = shell === 'dash' ? [toolPath('dash')] : [toolPath('busybox'), 'sh'];
    return startIn({ folder: scene.folder, env, before }, [...interpreter, join(bundle, 'install.sh'), ...args]).outcome;
  };
  return {
    run,
    succeed: async (shell, args) => {
      const { code, stdout, stderr } = await run(shell, args);
      assert.is(code, 0, `install.sh ${args.join(' ')}\n${stdout}${stderr}`);
      return stdout + stderr;
    },
  };
}

function onlyKubectl(folder: string, shell: Shell): string {
  const bin = join(folder, `only-kubectl-${shell}`);
  if (mkdirSync(bin, { recursive: true }) === undefined) return bin;
  symlinkSync(toolPath('kubectl'), join(bin, 'kubectl'));
  for (const program of programs) symlinkSync(shell === 'dash' ? join('/usr/bin', program) : toolPath('busybox'), join(bin, program));
  return bin;
}
