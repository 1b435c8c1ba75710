// The picture of a mesh: clusters, nodes, pod blocks, routes and load balancers, as one self-contained SVG.
import type { MeshPlan } from '../plan/types.ts';
import { element, escapeXml, label, textWidth } from './svg.ts';
import { drawCluster } from './topology-cluster.ts';
import { type Layout, size, space, topologyLayout } from './topology-layout.ts';
import { drawLinks } from './topology-links.ts';
import { type TopologyView, topologyView } from './topology-model.ts';
import { topologyStyle } from './topology-style.ts';

/**
 * Draws a plan as SVG 1.1 text, readable on light and dark screens, with all text escaped and no outside reference.
 * Two or three clusters are drawn in full; of many nodes or routes the first are shown and the rest counted.
 * The same plan gives the same bytes, whatever the order of its clusters.
 */
export function topologySvg(plan: MeshPlan): string {
  const view = topologyView(plan);
  const layout = topologyLayout(view);
  const { width, height } = layout;
  const attributes = { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`, role: 'img' };
  const parts = [
    element('title', {}, [escapeXml(`Mesh ${plan.mesh}`)]),
    element('desc', {}, [escapeXml(describe(view))]),
    element('style', {}, [topologyStyle()]),
    element('rect', { class: 'ground', width, height, rx: 14 }),
    ...drawHeader(view),
    ...drawFrame(view, layout),
    ...layout.boxes.map((box) => drawCluster(box, layout, view.network === undefined)),
    ...drawLinks(view, layout),
  ];
  return `${element('svg', { ...attributes, width: Math.ceil(width), height: Math.ceil(height) }, [`\n${parts.join('\n')}\n`])}\n`;
}

/** For those who cannot see the picture. */
function describe({ clusters, links }: TopologyView): string {
  const names = clusters.map(({ name, role }) => `${name} (${role})`).join(', ');
  const joined = links
    .flatMap(({ routes }) => routes)
    .map(({ from, to, count }) => `${clusters[from]?.name} has ${count} routes to ${clusters[to]?.name}`);
  return [`Clusters ${names}`, ...joined].join('. ');
}

function drawHeader({ mesh, subtitle }: TopologyView): readonly string[] {
  const x = space.margin + 2;
  return [label(`Mesh ${mesh}`, { class: 'title', x, y: space.margin + 22 }), label(subtitle, { class: 'muted', x, y: space.margin + 45 })];
}

/** One network is a frame around all clusters; with several, each cluster names its own. */
function drawFrame({ network }: TopologyView, layout: Layout): readonly string[] {
  if (network === undefined) return [];
  const y = layout.top - space.frame;
  const text = `network: ${network}`;
  const width = textWidth(text, size.small, 'sans') + 16;
  const right = layout.width - space.margin - 26;
  const box = { x: space.margin, y, width: layout.width - 2 * space.margin, height: layout.height - space.margin - y };
  return [
    element('rect', { class: 'frame', ...box, rx: 16 }),
    element('rect', { class: 'ground', x: right - width, y: y - 9, width, height: 18 }),
    label(text, { class: 'muted small', x: right - width / 2, y: y + 4, 'text-anchor': 'middle' }),
  ];
}
