// How long it takes until the program has said its version.
import { toolPath } from '../helpers/tools.ts';
import { formatSeconds, type Row, race } from './measure.ts';
import { cli } from './paths.ts';

export async function benchStart(): Promise<Row[]> {
  const times = await race(15, {
    isthmus: { program: process.execPath, args: [cli, '--version'] },
    node: { program: process.execPath, args: ['-e', '0'] },
    helm: { program: toolPath('helm4'), args: ['version'] },
    kubectl: { program: toolPath('kubectl'), args: ['version', '--client'] },
    istioctl: { program: toolPath('istioctl'), args: ['version', '--remote=false'] },
  });
  const ratio = times.isthmus.seconds / times.node.seconds;
  const peers = (['node', 'helm', 'kubectl', 'istioctl'] as const).map((name) => `${name} ${formatSeconds(times[name].seconds)}`);
  return [
    {
      what: 'isthmus --version',
      measured: formatSeconds(times.isthmus.seconds),
      peer: peers.join(', '),
      budget: `${ratio.toFixed(2)} x node, at most 1.30`,
      met: ratio <= 1.3,
    },
  ];
}
