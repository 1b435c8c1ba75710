// The shell at which a way is typed: the operator's tools on the workstation, and the nodes.
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { IstioLab } from '../../lab/nodes/istio-lab.ts';
import type { Machine } from '../../lab/nodes/machine.ts';
import { createOperator } from '../../lab-e2e/operator.ts';
import { cli } from '../paths.ts';
import type { Place } from './types.ts';

/** A line that waits for something that never comes ends after this many seconds, and fails. */
const longestLine = '300';

export interface CountedPlace extends Place {
  /** Lines that were typed until now. */
  typed(): number;
}

/**
 * Sits down in front of a lab with two clusters; isthmus is found in PATH, where npm would link it.
 * @param say is told every line, and the seconds that it took
 */
export function createPlace(lab: IstioLab, say: (line: string) => void): CountedPlace {
  const [one, two] = lab.clusters;
  if (one === undefined || two === undefined) throw new Error('a mesh needs two clusters');
  const operator = createOperator(lab);
  symlinkSync(cli, join(operator.folder, 'bin', 'isthmus'));
  let count = 0;
  const counted = async (prompt: string, line: string, run: () => Promise<string>) => {
    count += 1;
    const start = performance.now();
    const printed = await run();
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    say(`${seconds.padStart(6)} s  ${prompt}$ ${line}`);
    return printed.trim();
  };
  return {
    operator,
    one,
    two,
    typed: () => count,
    type: (line) => counted('', line, () => operator.run('timeout', longestLine, 'sh', '-c', line)),
    typeOn: (node, line) => counted(`${node} `, line, () => machineOf(lab, node).run('sh', '-c', line)),
  };
}

function machineOf({ clusters }: IstioLab, name: string): Machine {
  const node = clusters.map(({ nodes }) => nodes.get(name)).find((each) => each !== undefined);
  if (node === undefined) throw new Error(`no node is called ${name}`);
  return node.machine;
}
