// The stage of the tests of published charts: a generated mesh, and helm as the administrator of the remote cluster runs it.
import type { PublishedChart } from '../../src/publish/types.ts';
import type { Helm } from '../helpers/helm.ts';
import { type Outcome, startIn, succeeded } from '../helpers/shell.ts';
import { toolPath } from '../helpers/tools.ts';
import { environment, type Scene, startScene } from './scene.ts';

export interface PublishScene extends Scene {
  /** Runs helm in the folder of the scene and expects success. */
  helm(helm: Helm, args: readonly string[]): Promise<Outcome>;
  /** `helm upgrade --install` in the remote; returns its NOTES. */
  helmInstall(helm: Helm, release: string, args: readonly string[]): Promise<string>;
}

/** Arguments that make helm work in the remote cluster. */
export const inRemote = ['--kube-context', 'cluster2'] as const;

/** Starts the clusters and generates a mesh in which nothing waits. */
export async function startPublishScene(): Promise<PublishScene> {
  const scene = await startScene();
  try {
    await scene.writeMesh({ ilbAddress: '9.111.255.9' });
    await scene.isthmus('helm4', 'generate', '--out', 'out');
  } catch (error) {
    await scene.stop();
    throw error;
  }
  const helm = (name: Helm, args: readonly string[]) => {
    const shell = { folder: scene.folder, env: environment(scene.folder, name, scene.clusters) };
    return succeeded(startIn(shell, [toolPath(name), ...args]), `${name} ${args[0]}`);
  };
  return {
    ...scene,
    helm,
    helmInstall: async (name, release, args) => (await helm(name, ['upgrade', '--install', release, ...args, ...inRemote])).stdout,
  };
}

/** Charts in what `isthmus publish -o json` prints. */
export function chartsIn(stdout: string): readonly PublishedChart[] {
  return (JSON.parse(stdout) as { charts: PublishedChart[] }).charts;
}

export function versionOf(charts: readonly PublishedChart[], name: string): string {
  return charts.find((chart) => chart.name === name)?.version ?? '';
}
