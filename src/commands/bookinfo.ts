// isthmus demo bookinfo: Istio's BookInfo across two joined clusters, with who answered its requests.
import { resolve } from 'node:path';
import { exitCodes, usageError } from '../base/errors.ts';
import { removeBookinfo, runBookinfo } from '../bookinfo/run.ts';
import type { StageResult } from '../bookinfo/types.ts';
import { readGenerated } from '../release/read.ts';
import { openSession, type Session } from '../release/session.ts';
import type { GeneratedMesh } from '../release/types.ts';
import type { System } from '../system/types.ts';
import { parseDuration } from './duration.ts';
import { printResult, table } from './output.ts';
import type { ParsedArguments, Run } from './types.ts';

/** Where Istio publishes BookInfo's images, and the tag that goes with Istio 1.30. */
const images = { hub: 'registry.istio.io/release', tag: '1.20.3' } as const;

const requests = 60;

export const run: Run = async (system, args) => {
  const generated = await readGenerated(system.files, resolve(system.cwd, args.positionals[1] ?? 'out'));
  const [primary, remote] = await openPair(system, generated);
  const deps = {
    primary: primary.client,
    remote: remote.client,
    clock: system.clock,
    signal: system.signal,
    say: (line: string) => system.terminal.err(`${line}\n`),
  };
  const options = {
    namespace: args.option('namespace') ?? 'bookinfo',
    hub: args.option('hub') ?? images.hub,
    tag: images.tag,
    revision: generated.index.istio.revision,
    primary: primary.spec.name,
    remote: remote.spec.name,
    remoteIsPrimary: remote.spec.role === 'primary',
    requests,
    timeoutMs: parseDuration(args.option('timeout') ?? '10m', '--timeout'),
  };
  try {
    if (args.switch('remove')) {
      await removeBookinfo(deps, options);
      return exitCodes.ok;
    }
    const results = await runBookinfo(deps, options);
    return report(system, args, results);
  } finally {
    for (const { client } of [primary, remote]) client.close();
  }
};

/** The first primary, and the first remote; in a mesh of primaries alone the next of them takes its part. */
async function openPair(system: System, generated: GeneratedMesh): Promise<readonly [Session, Session]> {
  const { clusters } = generated.index;
  const primary = clusters.find(({ role }) => role === 'primary');
  const remote = clusters.find(({ role }) => role === 'remote') ?? clusters.find((cluster) => cluster !== primary);
  if (primary === undefined || remote === undefined)
    throw usageError('BookInfo needs a primary and another cluster', {
      where: generated.folder,
      hint: 'Generate and install a mesh of both first.',
    });
  if (generated.index.istio.version.startsWith('0.'))
    throw usageError(`BookInfo of this demo needs Istio 1.24 or later, the mesh has ${generated.index.istio.version}`, {
      where: generated.folder,
    });
  const first = await openSession(primary, generated.folder, system);
  try {
    return [first, await openSession(remote, generated.folder, system)];
  } catch (error) {
    first.client.close();
    throw error;
  }
}

function report(system: System, args: ParsedArguments, results: readonly StageResult[]): number {
  const ok = results.every((result) => result.ok);
  printResult(system.terminal, args, {
    value: { apiVersion: 'isthmus/v1', kind: 'BookinfoResult', ok, stages: results },
    text: () => `${describe(results)}\n${next(args)}`,
  });
  return ok ? exitCodes.ok : exitCodes.findings;
}

function describe(results: readonly StageResult[]): string {
  return table(
    results.flatMap(({ title, answered, failed, firstFailure, ok }) => [
      [title, ok ? 'ok' : 'not as asked for', answered.map((each) => `${each.workload} in ${each.cluster}: ${each.requests}`).join(', ')],
      ...(failed === 0 ? [] : [['', `${failed} failed`, firstFailure ?? '']]),
    ]),
  );
}

function next(args: ParsedArguments): string {
  const namespace = args.option('namespace') ?? 'bookinfo';
  const words = [
    'isthmus demo bookinfo',
    args.positionals[1] ?? 'out',
    '--remove',
    ...(namespace === 'bookinfo' ? [] : ['--namespace', namespace]),
  ];
  return `BookInfo keeps running. Remove it with: ${words.join(' ')}\n`;
}
