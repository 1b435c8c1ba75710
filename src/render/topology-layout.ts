// Where everything in the picture of a mesh stands: boxes side by side, what joins neighbours between them, the rest below.
import { textWidth } from './svg.ts';
import type { ClusterView, ControlView, LinkView, Row, TopologyView } from './topology-model.ts';

/** Distances in pixels. */
export const space = {
  margin: 28,
  frame: 22,
  header: 78,
  padding: 16,
  boxTop: 84,
  rowGap: 6,
  rowPadding: 9,
  line: 17,
  section: 34,
  lane: 44,
  minBox: 280,
  minGap: 250,
  /** Between words of different colour; a space at the end of an element is dropped by some viewers. */
  blank: 7.2,
} as const;

/** Font sizes in pixels. */
export const size = { title: 22, name: 17, text: 13, small: 11.5, mono: 12 } as const;

export interface PlacedRow extends Row {
  readonly y: number;
  readonly height: number;
}

export interface Box {
  readonly cluster: ClusterView;
  readonly x: number;
  readonly width: number;
  readonly nodes: readonly PlacedRow[];
  readonly moreY: number;
  readonly control: readonly PlacedRow[];
}

/** What joins two clusters that do not stand side by side runs below the boxes. */
export interface Lane {
  readonly y: number;
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly kind: 'routes' | 'control';
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Top and bottom of the cluster boxes. */
  readonly top: number;
  readonly bottom: number;
  /** Where routes between neighbours may begin. */
  readonly linksY: number;
  /** Top of the control-plane section, the same in every box. */
  readonly controlY: number;
  readonly boxes: readonly Box[];
  readonly lanes: readonly Lane[];
}

/** Places a view; all boxes share their sections' heights, so that what belongs together stands on one line. */
export function topologyLayout(view: TopologyView): Layout {
  const top = space.margin + space.header + space.frame;
  const nodesY = top + space.boxTop;
  const linksY = top + space.padding;
  const nodesEnd = nodesY + Math.max(0, ...view.clusters.map(nodesHeightOf));
  const controlY = Math.max(nodesEnd, ...view.links.filter(isNeighbour).map((link) => linksY + linkHeight(link))) + space.padding;
  const controlHeight = Math.max(...view.clusters.map(controlHeightOf), view.controls.some(isNeighbourControl) ? 110 : 0);
  const bottom = controlY + controlHeight + (controlHeight > 0 ? space.padding : 0);
  const boxes = placeBoxes(view, nodesY, controlY + space.section);
  const lanes = placeLanes(view, bottom);
  const last = boxes.at(-1);
  const right = last === undefined ? 0 : last.x + last.width;
  return {
    width: right + space.frame + space.margin,
    height: bottom + lanes.length * space.lane + space.frame + space.margin,
    top,
    bottom,
    linksY,
    controlY,
    boxes,
    lanes,
  };
}

/** Height of a row: its name and detail on the left, its values on the right. */
export function rowHeight({ detail, values }: Row): number {
  return Math.max(detail === '' ? 1 : 2, values.length) * space.line + space.rowPadding;
}

function placeBoxes(view: TopologyView, nodesY: number, controlY: number): readonly Box[] {
  const boxes: Box[] = [];
  let x = space.margin + space.frame;
  for (const cluster of view.clusters) {
    const width = boxWidth(cluster);
    const nodes = placeRows(cluster.nodes, nodesY);
    boxes.push({ cluster, x, width, nodes, moreY: nodesY + rowsHeight(cluster.nodes) + 13, control: placeRows(cluster.control, controlY) });
    x += width + gapWidth(view, cluster.index);
  }
  return boxes;
}

function placeRows(rows: readonly Row[], start: number): readonly PlacedRow[] {
  return rows.map((row, index) => ({ ...row, y: start + rowsHeight(rows.slice(0, index)), height: rowHeight(row) }));
}

function rowsHeight(rows: readonly Row[]): number {
  return rows.reduce((height, row) => height + rowHeight(row) + space.rowGap, 0);
}

function nodesHeightOf({ nodes, moreNodes }: ClusterView): number {
  return rowsHeight(nodes) + (moreNodes === '' ? 0 : 22);
}

function controlHeightOf({ control }: ClusterView): number {
  return control.length === 0 ? 0 : space.section + rowsHeight(control);
}

function boxWidth({ name, role, facts, pods, nodes, controlTitle, control }: ClusterView): number {
  const rows = [...nodes, ...control].map(
    (row) =>
      Math.max(textWidth(row.name, size.text, 'sans'), textWidth(row.detail, size.small, 'sans')) +
      Math.max(0, ...row.values.map((value) => textWidth(value, size.mono, 'mono') + 14)) +
      28,
  );
  const heads = [
    textWidth(name, size.name, 'sans') + textWidth(role, size.small, 'sans') + 60,
    textWidth(facts, size.small, 'sans'),
    textWidth(`pods ${pods}`, size.mono, 'mono'),
    textWidth(controlTitle, size.small, 'sans'),
  ];
  return Math.max(space.minBox, ...rows, ...heads) + 2 * space.padding;
}

/** Width between the box at `index` and the next one. */
function gapWidth(view: TopologyView, index: number): number {
  const link = view.links.find(({ left, right }) => left === index && right === index + 1);
  if (link === undefined) return 0;
  const texts = link.routes.flatMap(({ lines }) => lines);
  return Math.max(space.minGap, ...texts.map((text) => textWidth(text, size.mono, 'mono') + 2 * space.padding));
}

/** Height that the routes between two neighbours take. */
export function linkHeight({ routes }: LinkView): number {
  return routes.reduce((height, { lines }) => height + 34 + lines.length * space.line + space.padding, 0);
}

function isNeighbour({ left, right }: LinkView): boolean {
  return right === left + 1;
}

function isNeighbourControl({ primary, remote }: ControlView): boolean {
  return Math.abs(primary - remote) === 1;
}

function placeLanes(view: TopologyView, bottom: number): readonly Lane[] {
  const routes = view.links
    .filter((link) => !isNeighbour(link) && link.routes.length > 0)
    .map((link) => ({ from: link.left, to: link.right, text: laneText(link), kind: 'routes' as const }));
  const controls = view.controls
    .filter((control) => !isNeighbourControl(control))
    .map(({ primary, remote, waits }) => ({
      from: remote,
      to: primary,
      text: waits ? 'control plane, its address waited for' : 'control plane',
      kind: 'control' as const,
    }));
  return [...routes, ...controls].map((lane, index) => ({ ...lane, y: bottom + (index + 0.75) * space.lane }));
}

function laneText({ routes }: LinkView): string {
  const counts = [...new Set(routes.map(({ count }) => count))];
  return `${counts.join(' and ')} ${counts.at(-1) === 1 ? 'route' : 'routes'} on every node`;
}
