// docs/findings.md: every finding for people, made from the table.
import { allFindingKinds } from './index.ts';
import type { FindingKind } from './types.ts';

const introduction = `# Findings

A finding is a problem of the data: of a cluster, of mesh.yaml, or of both together. An \`error\` stops \`generate\` and \`install\`,
a \`warning\` or \`info\` does not. \`ignore: [ISM031]\` in mesh.yaml accepts every finding of that code. \`isthmus explain ISM031\` prints an entry of this page.
`;

/** The whole of docs/findings.md. */
export function findingsReference(): string {
  const rows = allFindingKinds.map((kind) => `| [${kind.code}](#${kind.code.toLowerCase()}) | ${kind.severity} | ${kind.title} |`);
  return [introduction, '| code | severity | what |', '|---|---|---|', ...rows, '', ...allFindingKinds.map(section)].join('\n');
}

function section(kind: FindingKind): string {
  return `## ${kind.code}\n\n**${kind.title}** (${kind.severity})\n\n${kind.why}\n\n**What to do:** ${kind.mend}\n`;
}
