// Draws what joins the clusters in the picture of a mesh: routes and control plane between neighbours, lanes below for the others.
import { element, label, textWidth } from './svg.ts';
import { hueOf } from './topology-cluster.ts';
import { type Box, type Lane, type Layout, linkHeight, size, space } from './topology-layout.ts';
import type { LinkView, RouteView, TopologyView } from './topology-model.ts';

/** The SVG of all links. */
export function drawLinks(view: TopologyView, layout: Layout): readonly string[] {
  return [...view.links.flatMap((link) => drawLink(link, view, layout)), ...drawControls(view, layout), ...drawLanes(layout)];
}

interface Span {
  readonly from: number;
  readonly to: number;
}

function gapOf(left: Box, right: Box): Span {
  return { from: left.x + left.width, to: right.x };
}

function drawLink(link: LinkView, view: TopologyView, layout: Layout): readonly string[] {
  const [left, right] = [layout.boxes[link.left], layout.boxes[link.right]];
  if (left === undefined || right === undefined || link.right !== link.left + 1) return [];
  const gap = gapOf(left, right);
  if (link.routes.length === 0) return link.note === '' ? [] : [drawNote(link.note, gap, layout.linksY + 60)];
  const room = layout.controlY - layout.linksY - linkHeight(link);
  const start = layout.linksY + Math.max(0, room / 2);
  const [first, second] = link.routes;
  if (first === undefined) return [];
  const next = start + 34 + first.lines.length * space.line + space.padding;
  return [drawRoutes(first, view, { gap, y: start }), ...(second === undefined ? [] : [drawRoutes(second, view, { gap, y: next })])];
}

function drawNote(note: string, { from, to }: Span, y: number): string {
  const middle = (from + to) / 2;
  return element('g', {}, [
    element('line', { class: 'arrow dashed quiet', x1: from + 8, x2: to - 8, y1: y, y2: y }),
    label(note, { class: 'muted small', x: middle, y: y - 9, 'text-anchor': 'middle' }),
  ]);
}

function drawRoutes(routes: RouteView, view: TopologyView, at: { readonly gap: Span; readonly y: number }): string {
  const { gap, y } = at;
  const middle = (gap.from + gap.to) / 2;
  const forward = routes.from < routes.to;
  const name = view.clusters[routes.from]?.name ?? '';
  return element('g', {}, [
    label(`on every node of ${name}`, { class: 'muted small', x: middle, y: y + 9, 'text-anchor': 'middle' }),
    drawArrow({ from: forward ? gap.from : gap.to, to: forward ? gap.to : gap.from, y: y + 20, hue: hueOf(routes.to), dashed: false }),
    ...routes.lines.map((line, index) => drawRouteLine(line, { x: middle, y: y + 40 + index * space.line, hue: hueOf(routes.to) })),
  ]);
}

/** The destination in the colour of its cluster, the next hop plain. */
function drawRouteLine(line: string, at: { readonly x: number; readonly y: number; readonly hue: number }): string {
  const [dst = line, via] = line.split(' via ');
  const position = { x: at.x, y: at.y, 'text-anchor': 'middle' };
  if (via === undefined) return label(line, { class: 'muted small', ...position });
  return element('text', { class: 'mono', ...position }, [
    element('tspan', { class: `f${at.hue}` }, [dst]),
    element('tspan', { class: 'muted', dx: space.blank }, ['via']),
    element('tspan', { dx: space.blank }, [via]),
  ]);
}

interface Arrow {
  readonly from: number;
  readonly to: number;
  readonly y: number;
  readonly hue: number | undefined;
  readonly dashed: boolean;
}

function drawArrow({ from, to, y, hue, dashed }: Arrow): string {
  const way = from < to ? 1 : -1;
  const [start, tip] = [from + way * 6, to - way * 5];
  const stroke = hue === undefined ? 'quiet' : `s${hue}`;
  return (
    element('line', { class: `arrow ${stroke}${dashed ? ' dashed' : ''}`, x1: start, x2: tip - way * 8, y1: y, y2: y }) +
    drawHead(tip, y, way, hue)
  );
}

function drawHead(x: number, y: number, way: number, hue: number | undefined): string {
  const points = `${x},${y} ${x - way * 10},${y - 5} ${x - way * 10},${y + 5}`;
  return element('polygon', { class: hue === undefined ? 'quiet-head' : `head f${hue}`, points });
}

function drawControls(view: TopologyView, layout: Layout): readonly string[] {
  return view.controls.flatMap(({ primary, remote, waits }) => {
    const [left, right] = [layout.boxes[Math.min(primary, remote)], layout.boxes[Math.max(primary, remote)]];
    if (left === undefined || right === undefined || Math.abs(primary - remote) !== 1) return [];
    const { from, to } = gapOf(left, right);
    const [atPrimary, atRemote] = primary < remote ? [from, to] : [to, from];
    const y = layout.controlY + space.section;
    const text = { class: 'muted small', x: (from + to) / 2, 'text-anchor': 'middle' };
    return [
      label(view.controlText, { ...text, y: y + 9 }),
      drawArrow({ from: atRemote, to: atPrimary, y: y + 20, hue: hueOf(primary), dashed: waits }),
      label('services and endpoints, by remote secret', { ...text, y: y + 49 }),
      drawArrow({ from: atPrimary, to: atRemote, y: y + 60, hue: hueOf(remote), dashed: true }),
    ];
  });
}

function drawLanes(layout: Layout): readonly string[] {
  return layout.lanes.flatMap((lane, index) => drawLane(lane, index, layout));
}

function drawLane(lane: Lane, index: number, layout: Layout): readonly string[] {
  const [from, to] = [layout.boxes[lane.from], layout.boxes[lane.to]];
  if (from === undefined || to === undefined) return [];
  // Lower lanes end further out, so that no lane crosses the one above it.
  const outwards = index * 18 * (from.x < to.x ? -1 : 1);
  const [x1, x2] = [from.x + from.width / 2 + outwards, to.x + to.width / 2 - outwards];
  const middle = (x1 + x2) / 2;
  const width = textWidth(lane.text, size.small, 'sans') + 16;
  const path = `M${x1},${layout.bottom + 4} V${lane.y} H${x2} V${layout.bottom + 14}`;
  return [
    element('path', { class: `arrow quiet${lane.kind === 'control' ? ' dashed' : ''}`, d: path }),
    drawUpHead(x2, layout.bottom + 4),
    ...(lane.kind === 'routes' ? [drawUpHead(x1, layout.bottom + 4)] : []),
    element('rect', { class: 'ground', x: middle - width / 2, y: lane.y - 9, width, height: 18 }),
    label(lane.text, { class: 'muted small', x: middle, y: lane.y + 4, 'text-anchor': 'middle' }),
  ];
}

function drawUpHead(x: number, y: number): string {
  return element('polygon', { class: 'quiet-head', points: `${x},${y} ${x - 5},${y + 10} ${x + 5},${y + 10}` });
}
