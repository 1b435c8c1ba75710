// Draws one cluster of the picture of a mesh: its name and facts, its nodes with their pod blocks, its control plane.
import { element, label, textWidth } from './svg.ts';
import { type Box, type Layout, type PlacedRow, size, space } from './topology-layout.ts';
import { hueCount } from './topology-style.ts';

/** The number of the colour of a cluster. */
export function hueOf(index: number): number {
  return index % hueCount;
}

/** The SVG of one cluster box. `showNetwork` for meshes of several networks, where the frame around all cannot tell. */
export function drawCluster(box: Box, layout: Layout, showNetwork: boolean): string {
  const hue = hueOf(box.cluster.index);
  const height = layout.bottom - layout.top;
  return element('g', {}, [
    element('rect', { class: `box f${hue} s${hue}`, x: box.x, y: layout.top, width: box.width, height, rx: 12 }),
    ...drawHead(box, layout.top, showNetwork),
    ...box.nodes.map((row) => drawRow(row, box, hue)),
    ...(box.cluster.moreNodes === ''
      ? []
      : [label(box.cluster.moreNodes, { class: 'muted small', x: box.x + space.padding + 11, y: box.moreY })]),
    ...drawControl(box, layout.controlY),
  ]);
}

function drawHead({ cluster, x, width }: Box, top: number, showNetwork: boolean): readonly string[] {
  const hue = hueOf(cluster.index);
  const left = x + space.padding;
  const pill = textWidth(cluster.role, size.small, 'sans') + 18;
  const facts = [cluster.facts, ...(showNetwork ? [cluster.network] : [])].filter((text) => text !== '').join(' · ');
  return [
    label(cluster.name, { class: 'name', x: left, y: top + 29 }),
    element('rect', { class: `pill f${hue}`, x: x + width - space.padding - pill, y: top + 14, width: pill, height: 21, rx: 10.5 }),
    label(cluster.role, { class: `small f${hue}`, x: x + width - space.padding - pill / 2, y: top + 28.5, 'text-anchor': 'middle' }),
    label(facts, { class: 'muted small', x: left, y: top + 49 }),
    element('text', { class: 'mono', x: left, y: top + 69 }, [
      element('tspan', { class: 'muted' }, ['pods']),
      element('tspan', { class: `f${hue}`, dx: space.blank }, [cluster.pods === '' ? 'unknown' : cluster.pods]),
    ]),
  ];
}

function drawControl(box: Box, y: number): readonly string[] {
  const { cluster, x, width, control } = box;
  if (control.length === 0) return [];
  return [
    element('line', { class: 'rule', x1: x + space.padding, x2: x + width - space.padding, y1: y, y2: y }),
    label(cluster.controlTitle, { class: 'muted small', x: x + space.padding, y: y + 21 }),
    ...control.map((row) => drawRow(row, box, undefined)),
  ];
}

/** A row as a small card; its values are chips in the cluster's colour when they are pod blocks, plain text otherwise. */
function drawRow(row: PlacedRow, { x, width }: Box, hue: number | undefined): string {
  const left = x + space.padding;
  const right = x + width - space.padding;
  const nameY = row.detail === '' ? row.y + row.height / 2 + 4.5 : row.y + row.height / 2 - 4;
  return element('g', {}, [
    element('rect', { class: 'card', x: left, y: row.y, width: right - left, height: row.height, rx: 6 }),
    label(row.name, { x: left + 11, y: nameY }),
    ...(row.detail === '' ? [] : [label(row.detail, { class: 'muted small', x: left + 11, y: nameY + 16 })]),
    ...row.values.flatMap((value, index) => drawValue(value, { right: right - 9, y: valueY(row, index), hue })),
  ]);
}

function valueY({ y, height, values }: PlacedRow, index: number): number {
  return y + height / 2 + (index - (values.length - 1) / 2) * space.line;
}

function drawValue(value: string, at: { readonly right: number; readonly y: number; readonly hue: number | undefined }): readonly string[] {
  const width = textWidth(value, size.mono, 'mono') + 10;
  const text = { x: at.right - 5, y: at.y + 4, 'text-anchor': 'end' };
  if (at.hue === undefined) return [label(value, { class: 'mono', ...text })];
  return [
    element('rect', { class: `chip f${at.hue}`, x: at.right - width, y: at.y - 7.5, width, height: 15.5, rx: 4 }),
    label(value, { class: `mono f${at.hue}`, ...text }),
  ];
}
