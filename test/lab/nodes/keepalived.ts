// keepalived on a node: the addresses of Services live on one node of the cluster, and move to another when that one is gone.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { toolPath } from '../../helpers/tools.ts';
import { type LabProcess, startProcess } from '../process.ts';
import { insideOf } from './machine.ts';

const run = promisify(execFile);

export interface KeepalivedOptions {
  /** Folder of the lab, and name of the machine. */
  readonly lab: string;
  readonly node: string;
  /** The same on all nodes of a cluster, and different from that of any other on the same network; 1 to 255. */
  readonly router: number;
  /** The node with the highest takes the addresses; 1 to 254. */
  readonly priority: number;
  readonly keep: boolean;
}

export interface Keepalived {
  /** Makes sure that it runs, also after a reboot, and that it answers for these addresses. */
  serve(addresses: readonly string[]): Promise<void>;
}

export function createKeepalived(options: KeepalivedOptions): Keepalived {
  const { lab, node, keep } = options;
  const folder = join(lab, node);
  const [config, pid, vrrp] = ['keepalived.conf', 'keepalived.own.pid', 'keepalived.vrrp.pid'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  let running: LabProcess | undefined;
  mkdirSync(folder, { recursive: true });
  return {
    serve: async (addresses) => {
      const text = configText(options, addresses);
      const changed = !existsSync(config) || readFileSync(config, 'utf8') !== text;
      if (changed) writeFileSync(config, text);
      if (running?.isAlive() !== true) {
        const flags = [
          '--dont-fork',
          '--log-console',
          '--no-syslog',
          '--vrrp',
          `--use-file=${config}`,
          `--pid=${pid}`,
          `--vrrp_pid=${vrrp}`,
        ];
        running = startProcess({
          folder,
          name: 'keepalived',
          keep,
          command: [toolPath('keepalived'), ...flags],
          inside: insideOf(lab, node),
        });
      } else if (changed) {
        const [program = '', ...args] = [...insideOf(lab, node), 'kill', '-HUP', readFileSync(pid, 'utf8').trim()];
        await run(program, args);
      }
    },
  };
}

/**
 * keepalived.conf(5). Nodes speak five times a second, so that another takes over within a second; the one that holds the addresses
 * keeps them when a node of higher priority comes back. An instance without addresses is refused, so there is none.
 */
export function configText({ router, priority }: Pick<KeepalivedOptions, 'router' | 'priority'>, addresses: readonly string[]): string {
  const global = 'global_defs {\n  vrrp_version 3\n}\n';
  if (addresses.length === 0) return global;
  return `${global}vrrp_instance services {
  state BACKUP
  nopreempt
  interface eth0
  virtual_router_id ${router}
  priority ${priority}
  advert_int 0.2
  virtual_ipaddress {
${addresses.map((address) => `    ${address}/32\n`).join('')}  }
}
`;
}
