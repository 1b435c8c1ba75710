// docs/cli.md: the reference of every command, made from the table of commands.
import { commands } from './table.ts';
import type { CommandSpec } from './types.ts';

/** The whole of docs/cli.md. */
export function cliReference(): string {
  return `${introduction}\n${commands.map(commandSection).join('\n')}`;
}

const introduction = `# Commands

Input folders are positional, \`--out\` names what is written, \`-o\` the form of the result, \`-f\` the mesh file.
The result goes to standard output, everything else to standard error. \`-o json\` and \`-o yaml\` are for programs.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | something failed: a cluster, helm, a file |
| 2 | the command line, mesh.yaml or another input file is wrong |
| 3 | the plan has findings that stop it, or a check failed |

| environment | meaning |
|---|---|
| \`KUBECONFIG\` | kubeconfig files, as kubectl reads them |
| \`ISTHMUS_HELM\` | path of the helm to use, 3.14 or later or 4; \`helm\` on PATH when not set |
| \`NO_COLOR\` | no colour |
| \`ISTHMUS_DEBUG\` | print the stack trace of every error |
`;

function commandSection(spec: CommandSpec): string {
  const usage = [
    'isthmus',
    spec.name,
    ...(spec.arguments ?? []).map((argument) => argument.name),
    ...(spec.options.length > 0 ? ['[options]'] : []),
  ].join(' ');
  const parts = [
    `## isthmus ${spec.name}`,
    `${spec.summary.charAt(0).toUpperCase()}${spec.summary.slice(1)}.${spec.details === undefined ? '' : ` ${spec.details}`}`,
    `\`\`\`\n${usage}\n\`\`\``,
  ];
  return `${[...parts, ...argumentTable(spec), ...optionTable(spec), `Examples:\n\n\`\`\`sh\n${spec.examples.join('\n')}\n\`\`\``].join('\n\n')}\n`;
}

function argumentTable(spec: CommandSpec): string[] {
  const rows = (spec.arguments ?? []).map(
    (argument) =>
      `| \`${argument.name}\` | ${argument.summary}${argument.choices === undefined ? '' : `: ${argument.choices.join(', ')}`} | ${shownDefault(argument.default)} |`,
  );
  return rows.length === 0 ? [] : [`| argument | meaning | default |\n|---|---|---|\n${rows.join('\n')}`];
}

function optionTable(spec: CommandSpec): string[] {
  const rows = spec.options.map(
    (option) =>
      `| \`${option.flags}\` | ${option.summary}${option.choices === undefined ? '' : `: ${option.choices.join(', ')}`}${option.repeatable === true ? '; may be repeated' : ''} | ${shownDefault(option.default)} |`,
  );
  return rows.length === 0 ? [] : [`| option | meaning | default |\n|---|---|---|\n${rows.join('\n')}`];
}

function shownDefault(value: string | undefined): string {
  return value === undefined ? '' : `\`${value}\``;
}
