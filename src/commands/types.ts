// What a command is: data that the CLI, the completion scripts and docs/cli.md are made from, and a function loaded when it runs.
import type { System } from '../system/types.ts';

export interface OptionSpec {
  /** `-f, --file <path>` or `--dry-run`, as commander reads it. */
  readonly flags: string;
  readonly summary: string;
  readonly default?: string;
  readonly choices?: readonly string[];
  readonly repeatable?: boolean;
}

export interface ArgumentSpec {
  /** `<code>` when required, `[out]` when not. */
  readonly name: string;
  readonly summary: string;
  readonly default?: string;
  readonly choices?: readonly string[];
}

export interface ParsedArguments {
  readonly positionals: readonly string[];
  /** Text of `--name`; undefined when not given and without default. */
  option(name: string): string | undefined;
  /** All texts of a repeatable option. */
  options(name: string): readonly string[];
  /** Whether a switch was given. */
  switch(name: string): boolean;
}

/** Runs one command to its exit code. */
export type Run = (system: System, args: ParsedArguments) => Promise<number>;

export interface CommandSpec {
  /** `install`, or `bundle verify` for a command below another one, which comes before it. */
  readonly name: string;
  readonly summary: string;
  /** A paragraph under the summary in `--help` and in the docs. */
  readonly details?: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  readonly examples: readonly string[];
}
