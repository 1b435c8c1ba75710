// The facts of one cluster as text for people.
import type { ClusterFacts, NodeFacts } from '../facts/schema.ts';

type Row = readonly [label: string, value: string, source: string];

/** A cluster as an aligned list of facts with their sources, then its nodes; ends in a newline. */
export function describeFacts(facts: ClusterFacts): string {
  const rows = factRows(facts);
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = rows.map(([label, value, source]) => `  ${label.padEnd(width)}  ${value}${source === '' ? '' : `  (${source})`}`);
  return [
    `${facts.cluster}${facts.collectedAt === undefined ? '' : `, read ${facts.collectedAt}`}`,
    ...lines,
    ...nodeLines(facts.nodes),
    ...problemLines(facts),
  ]
    .join('\n')
    .concat('\n');
}

function factRows(facts: ClusterFacts): Row[] {
  return [
    row('API server', facts.server),
    row('Kubernetes', facts.kubernetes),
    row('Platform', facts.platform),
    row('CNI', facts.cni === undefined ? undefined : { value: describeCni(facts.cni.value), source: facts.cni.source }),
    row('Pod CIDRs', list(facts.podCIDRs)),
    row('Service CIDRs', list(facts.serviceCIDRs)),
    row('Load balancer', facts.loadBalancer),
    ...facts.services.map(
      (service): Row => [
        'LoadBalancer Service',
        `${service.namespace}/${service.name} ${[...service.addresses, ...service.hostnames].join(' ') || 'no address yet'}`,
        '',
      ],
    ),
    ...(facts.istio?.revisions ?? []).map(
      (revision): Row => [
        'Istio',
        [
          revision.version ?? 'unknown version',
          revision.name === '' ? 'default revision' : `revision ${revision.name}`,
          revision.managedBy ?? '',
        ]
          .filter((part) => part !== '')
          .join(', '),
        facts.istio?.namespace ?? '',
      ],
    ),
    row('Root CA', facts.istio?.rootCertFingerprint),
  ];
}

function row(label: string, fact: { readonly value: string; readonly source: string } | undefined): Row {
  return fact === undefined ? [label, 'unknown', ''] : [label, fact.value, fact.source];
}

function list(
  fact: { readonly value: readonly string[]; readonly source: string } | undefined,
): { value: string; source: string } | undefined {
  return fact === undefined ? undefined : { value: fact.value.join(', '), source: fact.source };
}

/** `calico, no encapsulation`. */
export function describeCni(cni: { readonly name: string; readonly encapsulation: string }): string {
  return `${cni.name}, ${cni.encapsulation === 'none' ? 'no encapsulation' : cni.encapsulation}`;
}

/** Nodes shown one by one; a larger cluster shows as many and the count of the rest. */
const maxNodesShown = 20;

function nodeLines(nodes: readonly NodeFacts[]): string[] {
  const shown = nodes.slice(0, maxNodesShown);
  const width = Math.max(0, ...shown.map((node) => node.name.length));
  const lines = shown.map((node) => {
    const state = node.deleting ? 'being deleted' : node.ready ? '' : 'not ready';
    const parts = [
      node.name.padEnd(width),
      node.addresses[0]?.value ?? 'no address',
      node.blocks.map((block) => block.cidr).join(' '),
      state,
    ];
    return `    ${parts.filter((part) => part !== '').join('  ')}`;
  });
  return [
    `  Nodes (${nodes.length}): address, pod blocks`,
    ...lines,
    ...(nodes.length > shown.length ? [`    and ${nodes.length - shown.length} more`] : []),
  ];
}

function problemLines(facts: ClusterFacts): string[] {
  if (facts.problems.length === 0) return [];
  return [
    '  Problems',
    ...facts.problems.map(
      (problem) =>
        `    ${problem.code}  ${problem.where === undefined ? '' : `${problem.where}: `}${problem.message}${problem.hint === undefined ? '' : `\n      ${problem.hint.replaceAll('\n', '\n      ')}`}`,
    ),
  ];
}
