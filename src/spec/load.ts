// Reads mesh.yaml: one pass over the text that reports every mistake, each with its position.
import { type IsthmusError, usageError } from '../base/errors.ts';
import { shortText } from '../base/names.ts';
import { parseYaml, type YamlSource } from '../base/yaml.ts';
import { explainIssues, type Mistake } from './issues.ts';
import { findMistakes, type MeshParts } from './rules.ts';
import { Cluster, Istio, type LoadedMesh, Mesh } from './schema.ts';

export { eraOf } from './schema.ts';

const mostShown = 20;

interface PlacedMistake {
  readonly where: string;
  readonly text: string;
}

/**
 * Parses and checks mesh.yaml, with defaults filled in.
 * @param text contents of the file
 * @param file its name as the user gave it, for messages
 * @param folder folder that relative paths in it start from
 * @throws IsthmusError (usage) that lists every mistake as `mesh.yaml:6:11: clusters.1.role: ...`, in the order of the file
 */
export function loadMesh(text: string, file: string, folder: string): LoadedMesh {
  const source = parseYaml(text, file);
  const parsed = Mesh.safeParse(source.value);
  const shape = parsed.success ? [] : explainIssues(parsed.error.issues, source);
  const mistakes = [...shape, ...findMistakes(readParts(source.value), source)];
  if (!parsed.success || mistakes.length > 0) throw toError(mistakes, source, file);
  return { mesh: parsed.data, file, folder, text, locate: source.locate };
}

/** The parts that are well-formed on their own, so that a typo in one place does not hide mistakes in another. */
function readParts(value: unknown): MeshParts {
  if (typeof value !== 'object' || value === null) return { clusters: [] };
  const clusters = 'clusters' in value && Array.isArray(value.clusters) ? value.clusters : [];
  const istio = 'istio' in value ? Istio.safeParse(value.istio).data : undefined;
  return { clusters: clusters.map((item) => Cluster.safeParse(item).data), ...(istio === undefined ? {} : { istio }) };
}

function toError(mistakes: readonly Mistake[], source: YamlSource, file: string): IsthmusError {
  const placed = mistakes.map((mistake) => place(mistake, source)).sort((a, b) => comparePositions(a.where, b.where));
  const [first] = placed;
  if (first !== undefined && placed.length === 1) return usageError(first.text, { where: first.where });
  const lines = placed.slice(0, mostShown).map(({ where, text }) => `\n  ${where}: ${text}`);
  const more = placed.length > mostShown ? `\n  and ${placed.length - mostShown} more` : '';
  return usageError(`${placed.length} mistakes${lines.join('')}${more}`, { where: file });
}

function place(mistake: Mistake, source: YamlSource): PlacedMistake {
  const path = mistake.path.map((step) => shortText(String(step))).join('.');
  const where = mistake.key === true ? source.locateKey(mistake.path) : source.locate(mistake.path);
  return { where, text: path === '' ? mistake.message : `${path}: ${mistake.message}` };
}

/** Compares the line and column that end two positions of one file. */
function comparePositions(a: string, b: string): number {
  const [lineA = 0, columnA = 0] = a.split(':').slice(-2).map(Number);
  const [lineB = 0, columnB = 0] = b.split(':').slice(-2).map(Number);
  return lineA - lineB || columnA - columnB;
}
