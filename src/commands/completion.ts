// isthmus completion: completion scripts for bash, zsh and fish, made from the table of commands.
import { exitCodes } from '../base/errors.ts';
import { commands } from './table.ts';
import type { CommandSpec, Run } from './types.ts';

export const run: Run = async (system, args) => {
  const scripts: Readonly<Record<string, () => string>> = { bash: bashScript, zsh: zshScript, fish: fishScript };
  system.terminal.out((scripts[args.positionals[0] ?? ''] ?? bashScript)());
  return exitCodes.ok;
};

/** Long and short forms of all flags of a command: `-f --file`. */
function flagsOf(spec: CommandSpec): string[] {
  return [...spec.options.flatMap((option) => option.flags.split(/[ ,]+/).filter((word) => word.startsWith('-'))), '--help'];
}

function choicesOf(spec: CommandSpec): string[] {
  const below = commands.filter(({ name }) => parentName(name) === spec.name).map(({ name }) => ownName(name));
  return [...below, ...(spec.arguments ?? []).flatMap((argument) => argument.choices ?? [])];
}

/** `bundle` of `bundle verify`; empty for a command that stands below no other. */
function parentName(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf(' ')));
}

function ownName(name: string): string {
  return name.slice(name.lastIndexOf(' ') + 1);
}

/** Names typed first. */
function topLevel(): CommandSpec[] {
  return commands.filter(({ name }) => parentName(name) === '');
}

/** Commands below others first, so that the more exact name is found before the other. */
function byDepth(): CommandSpec[] {
  return commands.toSorted((a, b) => b.name.split(' ').length - a.name.split(' ').length);
}

function takesFolder(spec: CommandSpec): boolean {
  return (spec.arguments ?? []).some((argument) => argument.name === '[out]');
}

function takesFormat(spec: CommandSpec): boolean {
  return spec.options.some((option) => option.flags.includes('--output'));
}

function bashScript(): string {
  const cases = byDepth().map(
    (spec) =>
      `    "${spec.name} "*) words="${[...flagsOf(spec), ...choicesOf(spec)].join(' ')}"${takesFolder(spec) ? ' folders=1' : ''} ;;`,
  );
  return `# bash completion for isthmus
_isthmus() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} words= folders=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${topLevel()
      .map((spec) => spec.name)
      .join(' ')} help --help --version" -- "$word"))
    return
  fi
  case $before in
    -o|--output) COMPREPLY=($(compgen -W "text json yaml" -- "$word")); return ;;
    -f|--file|--kubeconfig) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --out|--templates) COMPREPLY=($(compgen -d -- "$word")); return ;;
    --context) COMPREPLY=($(compgen -W "$(kubectl config get-contexts -o name 2>/dev/null)" -- "$word")); return ;;
  esac
  case "\${COMP_WORDS[*]:1} " in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word") \${folders:+$(compgen -d -- "$word")})
}
complete -F _isthmus isthmus
`;
}

function zshScript(): string {
  const names = topLevel().map((spec) => `    '${spec.name}:${zshText(spec.summary)}'`);
  const cases = byDepth().map((spec) => `    '${spec.name}') _arguments ${zshArguments(spec).join(' ')} ;;`);
  const below = commands
    .filter(({ name }) => parentName(name) !== '')
    .map(({ name }) => `    '${name}') if (( CURRENT > 2 )); then command='${name}'; shift words; (( CURRENT-- )); fi ;;`);
  return `#compdef isthmus
# zsh completion for isthmus
_isthmus() {
  local -a commands
  commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case "$command $words[2]" in
${below.join('\n')}
  esac
  case $command in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _isthmus ]; then _isthmus "$@"; else compdef _isthmus isthmus; fi
`;
}

function zshArguments(spec: CommandSpec): string[] {
  const options = spec.options.flatMap((option) => {
    const forms = option.flags.split(/[ ,]+/).filter((word) => word.startsWith('-'));
    return forms.map(
      (form) => `'${option.repeatable === true ? '*' : ''}${form}[${zshText(option.summary)}]${zshValue(option.flags, option.choices)}'`,
    );
  });
  const choices = choicesOf(spec);
  return [...options, choices.length > 0 ? `'1:choice:(${choices.join(' ')})'` : `'*:file:_files'`];
}

function zshValue(flags: string, choices: readonly string[] | undefined): string {
  if (choices !== undefined) return `:value:(${choices.join(' ')})`;
  return flags.includes('<') ? ':value:_files' : '';
}

/** Text inside a single-quoted zsh specification. */
function zshText(text: string): string {
  return text.replaceAll("'", "'\\''").replaceAll(/[[\]:]/g, '\\$&');
}

function fishScript(): string {
  const lines = commands.flatMap((spec) => [
    `complete -c isthmus -n ${fishSeen(parentName(spec.name))} -f -a ${ownName(spec.name)} -d '${fishText(spec.summary)}'`,
    ...spec.options.map((option) => fishOption(spec.name, option.flags, option.summary)),
    ...(takesFormat(spec) ? [`complete -c isthmus -n ${fishSeen(spec.name)} -s o -l output -x -a 'text json yaml'`] : []),
    ...(spec.arguments ?? [])
      .flatMap((argument) => argument.choices ?? [])
      .map((choice) => `complete -c isthmus -n ${fishSeen(spec.name)} -f -a ${choice}`),
  ]);
  return `# fish completion for isthmus\n${lines.join('\n')}\n`;
}

/** The condition that the words of a command were typed; for none, that no command was. */
function fishSeen(name: string): string {
  if (name === '') return '__fish_use_subcommand';
  const words = name.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`);
  return `'${words.join('; and ')}'`;
}

function fishOption(command: string, flags: string, summary: string): string {
  const short = /(?:^|[ ,])-([a-z])\b/.exec(flags)?.[1];
  const long = /--([a-z-]+)/.exec(flags)?.[1] ?? '';
  const forms = `${short === undefined ? '' : ` -s ${short}`} -l ${long}${flags.includes('<') ? ' -r' : ''}`;
  return `complete -c isthmus -n ${fishSeen(command)}${forms} -d '${fishText(summary)}'`;
}

function fishText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
}
