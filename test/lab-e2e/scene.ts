// What a suite on real nodes starts from: a lab, its operator, and how everything was before the first test.
import type { Helm } from '../helpers/helm.ts';
import type { SuiteApi } from '../helpers/suite.ts';
import { istioHub } from '../lab/istio-images.ts';
import { labImages } from '../lab/nodes/images.ts';
import type { Lab } from '../lab/nodes/lab.ts';
import { createOperator, type MeshFile, type Operator } from './operator.ts';

export interface Scene<L extends Lab, T> {
  readonly lab: L;
  readonly operator: Operator;
  /** What `look` saw before the first test. */
  readonly untouched: T;
}

export interface SceneOptions<L extends Lab, T> {
  readonly start: () => Promise<L>;
  readonly look: (lab: L) => Promise<T>;
  /** What the name helm means to the operator. */
  readonly helm?: Helm;
}

/** Starts a lab before the tests of a suite and ends it after them; returns what gives the scene to each test. */
export function prepareScene<L extends Lab, T>(
  { before, after }: Pick<SuiteApi, 'before' | 'after'>,
  { start, look, helm }: SceneOptions<L, T>,
): () => Scene<L, T> {
  let lab: L | undefined;
  let scene: Scene<L, T> | undefined;
  before(async () => {
    lab = await start();
    scene = { lab, operator: createOperator(lab, helm), untouched: await look(lab) };
  });
  after(async () => {
    scene?.operator.remove();
    await lab?.stop();
  });
  return () => {
    if (scene === undefined) throw new Error('the lab did not start');
    return scene;
  };
}

/** Edits mesh.yaml for clusters that each have keepalived before them, and Istio's images from the lab. */
export function balancedMesh(mesh: MeshFile): void {
  Object.assign(mesh.istio, { hub: istioHub });
  for (const cluster of mesh.clusters) Object.assign(cluster, { loadBalancer: { platform: 'keepalived' } });
  mesh.routes = { image: labImages.tools };
}
