// Checks pairs of clusters layer by layer, each up to the first layer that is broken.
import { failure } from '../base/errors.ts';
import { layers as allLayers } from './layers.ts';
import type { Check, Layer, LayerResult, Pair, PairResult, Scene, VerifyResult } from './types.ts';

type LayeredCheck = VerifyResult['checks'][number];

/**
 * Runs the layers in order; a pair that a layer found broken takes no part in the next one, nor in one that is not about such pairs.
 * @param pairs ordered pairs of clusters that the mesh joins
 * @throws IsthmusError after Ctrl-C, or when another run is at work in a cluster; nothing is left behind then either
 */
export async function verifyPairs(scene: Scene, pairs: readonly Pair[], layers: readonly Layer[] = allLayers): Promise<VerifyResult> {
  const checks: LayeredCheck[] = [];
  const notes: string[] = [];
  const left: string[] = [];
  const serving = layers.filter((layer) => pairs.some((pair) => isAbout(layer, pair)));
  for (const layer of serving) {
    const open = pairs.filter((pair) => isAbout(layer, pair) && brokenLayer(serving, checks, pair) === undefined);
    if (open.length === 0) continue;
    const outcome = await layer.run(scene, open);
    checks.push(...outcome.checks.map((check) => ({ layer: layer.name, ...check })));
    notes.push(...(outcome.notes ?? []));
    left.push(...(outcome.left ?? []));
    if (scene.signal.aborted) throw failure('stopped', { hint: ['Run isthmus verify again.', ...left].join('\n') });
  }
  return { pairs: pairs.map((pair) => pairResult(pair, serving, checks)), checks, notes, left };
}

function isAbout({ serves }: Layer, { through, controlPlane }: Pair): boolean {
  if (serves === 'control plane') return controlPlane === true;
  return serves === undefined || serves === (through ?? 'network');
}

function brokenLayer(layers: readonly Layer[], checks: readonly LayeredCheck[], pair: Pair): string | undefined {
  return checksOf(layers, checks, pair).find(({ outcome }) => outcome === 'failed')?.layer;
}

function checksOf(layers: readonly Layer[], checks: readonly LayeredCheck[], pair: Pair): readonly LayeredCheck[] {
  const own = new Set(layers.filter((layer) => isAbout(layer, pair)).map(({ name }) => name));
  return checks.filter((check) => own.has(check.layer) && concerns(check, pair));
}

/** Packets go one way and answers the other, so what is wrong with one cluster alone breaks both directions. */
function concerns({ from, to }: Check, pair: Pair): boolean {
  if (to === undefined) return from.cluster === pair.from || from.cluster === pair.to;
  return from.cluster === pair.from && to.cluster === pair.to;
}

function pairResult(pair: Pair, layers: readonly Layer[], checks: readonly LayeredCheck[]): PairResult {
  const broken = brokenLayer(layers, checks, pair);
  const last = layers.findIndex(({ name }) => name === broken);
  const own = checksOf(layers, checks, pair);
  const results = layers.map(({ name }, index) => layerResult(name, last < 0 || index <= last ? own : undefined));
  return { ...pair, outcome: broken === undefined ? 'passed' : 'failed', ...(broken === undefined ? {} : { broken }), layers: results };
}

function layerResult(name: string, checks: readonly LayeredCheck[] | undefined): LayerResult {
  const count = (outcome: Check['outcome']) => checks?.filter((check) => check.layer === name && check.outcome === outcome).length ?? 0;
  const counts = { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
  if (checks === undefined) return { name, outcome: 'not run', ...counts };
  if (counts.failed > 0) return { name, outcome: 'failed', ...counts };
  return { name, outcome: counts.passed > 0 ? 'passed' : 'skipped', ...counts };
}
