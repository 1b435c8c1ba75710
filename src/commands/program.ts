// The command line itself: commander built from the table of commands.
import { Argument, Command, CommanderError, Option } from 'commander';
import { exitCodes } from '../base/errors.ts';
import { isthmusVersion } from '../base/version.ts';
import type { System } from '../system/types.ts';
import { loaders } from './loaders.ts';
import { commands } from './table.ts';
import type { CommandSpec, ParsedArguments } from './types.ts';

/**
 * Runs one command line.
 * @param argv arguments without node and script
 * @returns the exit code: 0 ok, 1 failed, 2 usage, 3 findings
 * @throws IsthmusError of the command
 */
export async function runProgram(system: System, argv: readonly string[]): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const program = buildProgram(system, async (spec, args) => {
    const loaded = await loaders[spec.name]?.();
    if (loaded === undefined) throw new Error(`command ${spec.name} has no code`);
    exitCode = await loaded.run(system, args);
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help that was asked for is a result; anything else commander stops at is a usage error it has already printed.
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  }
  return exitCode;
}

function buildProgram(system: System, run: (spec: CommandSpec, args: ParsedArguments) => Promise<void>): Command {
  const program = new Command('isthmus')
    .description('Joins Kubernetes clusters into one Istio mesh: inspects them, plans, generates Helm charts, installs them.')
    .version(isthmusVersion, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .addHelpText('after', '\nTry it without a cluster: isthmus demo')
    .showHelpAfterError('Run with --help for usage.')
    .configureOutput({
      writeOut: (text) => system.terminal.out(text),
      writeErr: (text) => system.terminal.err(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'Error: ')),
    })
    // Else a command takes the options of those below it for its own.
    .enablePositionalOptions()
    .exitOverride();
  for (const spec of commands) addCommand(program, spec, run);
  return program;
}

function addCommand(program: Command, spec: CommandSpec, run: (spec: CommandSpec, args: ParsedArguments) => Promise<void>): void {
  const command = parentOf(program, spec)
    .command(lastWord(spec.name))
    .summary(spec.summary)
    .description(describe(spec))
    .addHelpText('after', exampleText(spec));
  for (const argument of spec.arguments ?? []) {
    const added = new Argument(argument.name, argument.summary);
    if (argument.choices !== undefined) added.choices(argument.choices);
    if (argument.default !== undefined) added.default(argument.default);
    command.addArgument(added);
  }
  for (const option of spec.options) {
    const added = new Option(option.flags, option.summary);
    if (option.choices !== undefined) added.choices(option.choices);
    if (option.default !== undefined) added.default(option.default);
    if (option.repeatable === true) added.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
    command.addOption(added);
  }
  command.action(async () => run(spec, parsed(command)));
}

/** `bundle verify` stands below `bundle`, which comes before it in the table. */
function parentOf(program: Command, { name }: CommandSpec): Command {
  const words = name.split(' ').slice(0, -1);
  return words.reduce((parent, word) => parent.commands.find((child) => child.name() === word) ?? parent, program);
}

function lastWord(name: string): string {
  return name.slice(name.lastIndexOf(' ') + 1);
}

function describe(spec: CommandSpec): string {
  const sentence = `${spec.summary.charAt(0).toUpperCase()}${spec.summary.slice(1)}.`;
  return spec.details === undefined ? sentence : `${sentence}\n${spec.details}`;
}

function exampleText(spec: CommandSpec): string {
  return `\nExamples:\n${spec.examples.map((example) => `  ${example}`).join('\n')}`;
}

function parsed(command: Command): ParsedArguments {
  const given: Readonly<Record<string, unknown>> = command.opts();
  return {
    positionals: command.processedArgs.filter((value): value is string => typeof value === 'string'),
    option: (name) => (typeof given[name] === 'string' ? given[name] : undefined),
    options: (name) => (Array.isArray(given[name]) ? given[name].map(String) : []),
    switch: (name) => given[name] === true,
  };
}
