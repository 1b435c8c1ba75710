#!/usr/bin/env node
// The program `isthmus`: finds the command, runs it, turns what is thrown into a message and an exit code.
import { exitCodeOf, exitCodes, formatError, IsthmusError } from './base/errors.ts';
import { isthmusVersion } from './base/version.ts';

const argv = process.argv.slice(2);

// The version needs nothing else, and people and scripts ask for it often.
if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) process.stdout.write(`${isthmusVersion}\n`);
else await main();

async function main(): Promise<void> {
  const code = await run().catch(report);
  // After Ctrl-C the exit code says so, whatever the command made of it.
  process.exitCode ??= code;
}

async function run(): Promise<number> {
  const [{ runProgram }, { createSystem }, { interruptSignal }] = await Promise.all([
    import('./commands/program.ts'),
    import('./system/index.ts'),
    import('./system/interrupt.ts'),
  ]);
  return runProgram(createSystem(interruptSignal()), argv);
}

function report(error: unknown): number {
  if (error instanceof IsthmusError && process.env['ISTHMUS_DEBUG'] === undefined) process.stderr.write(formatError(error));
  else if (error instanceof IsthmusError) process.stderr.write(`${formatError(error)}${bugText(error)}\n`);
  else
    process.stderr.write(
      `This is a bug in isthmus ${isthmusVersion} (node ${process.version}, ${process.platform}); please report it:\n${bugText(error)}\n`,
    );
  return exitCodeOf(error) || exitCodes.failed;
}

function bugText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
