// Ctrl-C and SIGTERM as one abort signal: work stops before its next write, and a second one ends the process at once.

/** Exit codes of processes that a signal ended, as shells show them. */
const signalCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/** Listens from now on. The process ends by itself once the work has stopped. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const [name, code] of Object.entries(signalCodes)) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(code);
      process.exitCode = code;
      controller.abort();
    });
  }
  return controller.signal;
}
