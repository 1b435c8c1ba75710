// isthmus inspect: what each cluster is, shown or saved.
import { join, resolve } from 'node:path';
import { exitCodes } from '../base/errors.ts';
import { formatFacts } from '../facts/file.ts';
import type { ClusterFacts } from '../facts/schema.ts';
import { describeFacts } from '../render/facts-text.ts';
import { readInputs, readMesh } from './load.ts';
import { printResult } from './output.ts';
import type { Run } from './types.ts';

export const run: Run = async (system, args) => {
  const loaded = await readMesh(system, args.option('file') ?? 'mesh.yaml');
  const inputs = await readInputs(system, loaded);
  const facts = inputs.flatMap((input): ClusterFacts[] => {
    const known = input.found ?? input.declared;
    return known === undefined ? [] : [known];
  });
  const out = args.option('out');
  if (out !== undefined) {
    for (const one of facts) await system.files.write(join(resolve(system.cwd, out), `${one.cluster}.yaml`), formatFacts(one));
    system.terminal.err(
      `${facts.map((one) => `Wrote ${join(out, `${one.cluster}.yaml`)}`).join('\n')}\nUse it in mesh.yaml instead of a context: \`facts: ${join(out, `${facts[0]?.cluster ?? 'cluster'}.yaml`)}\`\n`,
    );
    return exitCodes.ok;
  }
  printResult(system.terminal, args, {
    value: { apiVersion: 'isthmus/v1', kind: 'ClusterFactsList', items: facts },
    text: () => facts.map(describeFacts).join('\n'),
  });
  return exitCodes.ok;
};
