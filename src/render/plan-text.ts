// A plan as text for people: what was found, what will change and why, what is wrong, what to do next.
import { shortFingerprint } from '../base/certificates.ts';
import { escapeText } from '../base/names.ts';
import { findingKind } from '../findings/index.ts';
import type { Finding } from '../findings/types.ts';
import type { ClusterPlan, Ilb, Link, MeshPlan, PlannedRelease, Route, SourceNat } from '../plan/types.ts';

/** Routes of a cluster that are shown one by one; more are counted. */
const maxRoutesShown = 24;

/** Stands where a finding is about no single cluster. */
const wholeMesh = 'mesh';

/** Under the code of a finding, behind its severity. */
const hintIndent = ' '.repeat(11);

/**
 * The whole plan, without colour; ends in a newline.
 * @param next what to do next, where the caller knows better than the plan
 */
export function describePlan(plan: MeshPlan, next: string = nextStep(plan)): string {
  const sections = [
    `${title(plan)}\n`,
    columns(plan.clusters.map(clusterCells)),
    describeNetworks(plan),
    section('Will change', columns(plan.clusters.flatMap(changeCells))),
    ...plan.clusters.map((cluster) => describeRoutes(cluster)),
    section('Not joined by routes', columns(plan.links.filter((link) => link.by !== 'routes').map(linkCells))),
    describeFindings(plan),
    `Next: ${next}\n`,
  ];
  return sections.filter((text) => text !== '').join('\n');
}

/** The findings of a plan, errors first, each with what to do about it; empty when there are none, else ends in a newline. */
export function describeFindings(plan: Pick<MeshPlan, 'findings'>): string {
  const width = Math.max(0, ...plan.findings.map((finding) => (finding.cluster ?? wholeMesh).length));
  return section('Findings', plan.findings.map((finding) => findingLines(finding, width)).join(''));
}

function title({ mesh, clusters, istio }: MeshPlan): string {
  const networks = new Set(clusters.map((cluster) => cluster.network)).size;
  return `Mesh ${mesh}: ${count(clusters.length, 'cluster')}, ${count(networks, 'network')}, Istio ${istio.version}`;
}

function clusterCells({ name, role, summary, nodes }: ClusterPlan): string[] {
  const pods = summary.podCIDRs.map(({ cidr }) => cidr).join(', ');
  const source = summary.podCIDRs[0]?.source;
  return [
    name,
    role,
    summary.kubernetes === undefined ? 'Kubernetes unknown' : `Kubernetes ${summary.kubernetes}`,
    summary.cni ?? 'CNI unknown',
    count(nodes.length, 'node'),
    pods === '' ? 'pods unknown' : `pods ${pods}${source === undefined ? '' : ` (${source})`}`,
  ];
}

/** Nothing to say where all clusters are in one. */
function describeNetworks({ clusters }: MeshPlan): string {
  if (new Set(clusters.map(({ network }) => network)).size === 1) return '';
  return section('Networks', columns(clusters.map(({ name, network, networkReason }) => [name, network, networkReason])));
}

/** Lines of one cluster: its name in the first only, the release in the first line of each release only. */
function changeCells(cluster: ClusterPlan): string[][] {
  const rows = [
    ...(cluster.root === undefined ? [] : [['cacerts', `intermediate of root ${shortFingerprint(cluster.root)}`]]),
    ...cluster.releases.flatMap((release) => rowsOf(release.name, releaseLines(release, cluster))),
    ...cluster.remoteSecrets.map((secret) => ['remote secret', secret.name]),
  ];
  return rows.map((row, index) => [index === 0 ? cluster.name : '', ...row]);
}

function rowsOf(name: string, lines: readonly string[]): string[][] {
  return lines.map((line, index) => [index === 0 ? name : '', line]);
}

function releaseLines(release: PlannedRelease, cluster: ClusterPlan): string[] {
  if ('adopt' in release) return [istioLine(release)];
  if (release.chart === 'istio-ilb') return release.services.map(ilbLine);
  if (release.chart === 'route-installer') return [routesLine(cluster)];
  if (release.chart === 'eastwest-gateway') return [gatewayLine(release)];
  if (release.chart === 'ambient-gateway') return [`${ilbLine(release.service)}; istiod makes it, for ambient`];
  if (release.chart === 'istio-reader') return [`ServiceAccount ${release.values.serviceAccount}, as which other clusters read this one`];
  const [waitsFor] = release.waitsFor;
  if (release.chart === 'istio-remote') {
    const { remotePilotAddresses, webhook } = release.values;
    const known = remotePilotAddresses.length > 0 ? remotePilotAddresses.join(', ') : webhook.injectionURL;
    return [`istiod at ${waitsFor === undefined ? known : `the ${waitsFor}`}; namespace labels and annotation`];
  }
  if (waitsFor !== undefined) return [`waits for ${release.waitsFor.map((what) => `the ${what}`).join(', ')}`];
  const endpoints = Object.entries(release.values.endpoints).map(([name, addresses]) => `${name} ${(addresses ?? []).join(' ')}`);
  return [`${endpoints.join(', ')}; a citadel of its own`];
}

function gatewayLine({ service, waitsFor }: PlannedRelease & { readonly chart: 'eastwest-gateway' }): string {
  const [first] = waitsFor;
  return `${ilbLine(service)}${first === undefined ? '' : `; waits for the ${first}`}`;
}

function istioLine({ chart, adopt }: Extract<PlannedRelease, { readonly adopt: boolean }>): string {
  const what = chart === 'istiod' ? 'the control plane of the mesh' : 'custom resource definitions of Istio';
  return adopt ? `${what}, taken over where they are there` : what;
}

function ilbLine({ name, ports, address }: Ilb): string {
  const shown = ports.map(({ port, protocol }) => (protocol === 'UDP' ? `${port}/UDP` : String(port))).join(' ');
  if (address.state === 'pending') return `Service ${name} ${shown}, internal; its address is waited for`;
  return `Service ${name} ${shown}, internal, at ${[...address.addresses, address.hostname ?? ''].filter((text) => text !== '').join(' ')}`;
}

function routesLine({ routes, nodes, sourceNat }: ClusterPlan): string {
  const kept = keptAddresses(sourceNat);
  return `${count(routes.length, 'route')} on each of ${count(nodes.length, 'node')}${kept === '' ? '' : `; ${kept}`}`;
}

function keptAddresses({ method, cidrs, pools }: SourceNat): string {
  if (method === 'ip-pools') {
    const shown = pools.map(({ cidr }) => cidr).join(', ');
    return `IPPool ${shown} disabled, so that pod addresses are kept`;
  }
  return method === 'return-rule' ? `nat RETURN rule for ${cidrs.join(', ')}, so that pod addresses are kept` : '';
}

function describeRoutes({ name, routes }: ClusterPlan): string {
  if (routes.length === 0 || routes.length > maxRoutesShown) return '';
  return section(`Routes on every node of ${name}`, columns(routes.map(routeCells)));
}

function routeCells({ dst, via, cluster, node }: Route): string[] {
  return [`${dst} via ${via}`, `${cluster} node ${node}`];
}

function linkCells({ clusters, by, reason }: Link): string[] {
  const how = { routes: '', network: 'the network carries pods', gateways: 'east-west gateways', nothing: 'not joined' } as const;
  return [`${clusters[0]} and ${clusters[1]}`, how[by], reason];
}

function findingLines(finding: Finding, width: number): string {
  const { code, cluster = wholeMesh, where, message } = finding;
  const label = finding.ignored === true ? 'ignored' : finding.severity;
  const hint = finding.hint ?? (finding.severity === 'info' ? undefined : findingKind(code)?.mend);
  const text = `${where === undefined ? '' : `${where}: `}${message}`;
  const line = `  ${label.padEnd(7)}  ${code}  ${cluster.padEnd(width)}  ${escapeText(text)}\n`;
  const hints = hint === undefined ? [] : hint.split('\n').map((one) => `${hintIndent}${escapeText(one)}\n`);
  return [line, ...hints].join('');
}

function nextStep({ clusters, findings }: MeshPlan): string {
  const blocking = findings.filter((finding) => finding.severity === 'error' && finding.ignored !== true);
  const [first] = blocking;
  if (first !== undefined) {
    return `mend the ${blocking.length === 1 ? 'error' : 'errors'} above (\`isthmus explain ${first.code}\` tells more), then isthmus plan again`;
  }
  const idle = clusters.every((cluster) => cluster.releases.length === 0 && cluster.remoteSecrets.length === 0);
  return idle ? 'nothing to install; add a remote to mesh.yaml' : 'isthmus generate, look at out/, isthmus install';
}

function section(heading: string, body: string): string {
  return body === '' ? '' : `${heading}\n${body}`;
}

/**
 * Rows with aligned columns, indented by two; the last column is not padded. Names come from clusters, so what a terminal would take
 * as a command is shown as text.
 */
function columns(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(escapeText));
  const widths = new Map<number, number>();
  for (const row of rows) for (const [index, cell] of row.entries()) widths.set(index, Math.max(widths.get(index) ?? 0, cell.length));
  return rows.map((row) => `  ${row.map((cell, index) => cell.padEnd(widths.get(index) ?? 0)).join('  ')}`.trimEnd().concat('\n')).join('');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
