// The agent of route-installer putting 20,000 routes into an empty kernel, against `ip -batch` with the same routes.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '../../src/base/objects.ts';
import { parseYamlStream } from '../../src/base/yaml.ts';
import { toolPath } from '../helpers/tools.ts';
import { largeFacts } from './facts.ts';
import { formatSeconds, median, type Row } from './measure.ts';
import { packageFolder } from './paths.ts';

const laps = 3;
const chart = join(packageFolder, 'charts', 'route-installer');

interface Route {
  readonly dst: string;
  readonly via: string;
}

export function benchAgent(): Row[] {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-bench-'));
  try {
    const routes = largeFacts(2, { nodes: 5000, blocks: 4 }).nodes.flatMap(({ addresses, blocks }) =>
      blocks.map(({ cidr }) => ({ dst: cidr, via: addresses[0]?.value ?? '' })),
    );
    writeDesired(folder, routes);
    writeFileSync(join(folder, 'batch'), routes.map(({ dst, via }) => `route add ${dst} via ${via} proto 157\n`).join(''));
    const agent: number[] = [];
    const batch: number[] = [];
    for (let lap = 0; lap < laps; lap++) {
      batch.push(inNewNetwork(['ip', '-batch', join(folder, 'batch')], {}, routes.length));
      const state = mkdtempSync(join(folder, 'state-'));
      const env = { ISTHMUS_DESIRED: join(folder, 'desired'), ISTHMUS_STATE: state, ISTHMUS_TERMINATION_LOG: join(state, 'log') };
      agent.push(inNewNetwork(['sh', join(chart, 'files', 'agent.sh'), 'once'], env, routes.length));
    }
    const ratio = median(agent) / median(batch);
    return [
      {
        what: `agent, ${routes.length} routes into an empty kernel`,
        measured: formatSeconds(median(agent)),
        peer: `ip -batch ${formatSeconds(median(batch))}`,
        budget: `${ratio.toFixed(2)} x ip -batch, at most 2.00`,
        met: ratio <= 2,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The ConfigMaps of the chart as files, as the agent finds them mounted. */
function writeDesired(folder: string, routes: readonly Route[]): void {
  const values = { clusterName: 'cluster1', routes, guard: { remotePodCIDRs: ['10.64.0.0/11'], localPodCIDRs: ['10.0.0.0/11'] } };
  writeFileSync(join(folder, 'values.json'), JSON.stringify(values));
  const args = ['template', 'route-installer', chart, '-f', join(folder, 'values.json'), '--kube-version', '1.34.4'];
  const rendered = execFileSync(toolPath('helm4'), args, { maxBuffer: 64 << 20 }).toString();
  mkdirSync(join(folder, 'desired'));
  for (const { kind, data } of parseYamlStream(rendered, 'route-installer') as (KubeObject & { data?: Record<string, string> })[]) {
    if (kind !== 'ConfigMap') continue;
    for (const [name, text] of Object.entries(data ?? {})) writeFileSync(join(folder, 'desired', name), text);
  }
}

/** Seconds of a command in a network namespace of its own, in which next hops are on a link; it must leave `expected` routes. */
function inNewNetwork(command: readonly string[], env: Readonly<Record<string, string>>, expected: number): number {
  const name = `isthmus-bench-${process.pid}`;
  const ip = toolPath('ip');
  const enter = ['netns', 'exec', name];
  execFileSync(ip, ['netns', 'add', name]);
  try {
    for (const args of [
      'link set lo up',
      'link add d0 type veth peer name d1',
      'addr add 10.255.255.254/9 dev d0',
      'link set d0 up',
      'link set d1 up',
    ])
      execFileSync(ip, [...enter, ip, ...args.split(' ')]);
    const [program = '', ...rest] = command;
    const start = performance.now();
    execFileSync(ip, [...enter, program, ...rest], { env: { ...process.env, ...env }, stdio: 'pipe' });
    const seconds = (performance.now() - start) / 1000;
    const present =
      execFileSync(ip, [...enter, ip, 'route', 'show', 'proto', '157'], { maxBuffer: 64 << 20 })
        .toString()
        .split('\n').length - 1;
    if (present !== expected) throw new Error(`${program} left ${present} routes of ${expected}`);
    return seconds;
  } finally {
    execFileSync(ip, ['netns', 'del', name]);
  }
}
