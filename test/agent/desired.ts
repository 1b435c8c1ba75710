// Desired routes as the chart mounts them: a header with settings and guards, and the routes in shards, under one digest.
import { createHash } from 'node:crypto';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Desired {
  /** Lines `dst via [mtu]`. */
  readonly routes?: readonly string[];
  /** Settings that differ from those below; undefined leaves one out. */
  readonly settings?: Readonly<Record<string, string | undefined>>;
  /** Guard lines; those of the other cluster's pods, and of this cluster's pods, services and nodes, unless given. */
  readonly guards?: readonly string[];
  readonly routesPerShard?: number;
}

const defaults = { mode: 'install', protocol: '157', onlink: 'no', 'withdraw-percent': '30', 'withdraw-mass': 'no' };
export const guards = ['remote 20.1.0.0/16', 'remote fd20::/32', 'local-pod 10.1.0.0/16', 'service 10.96.0.0/12', 'node 10.0.7.0/24'];

/** Writes the files; returns the revision, the first 12 digits of the digest. */
export function writeDesired(folder: string, desired: Desired): string {
  const { routes = [], settings = {}, routesPerShard = 5000 } = desired;
  const body = [...settingLines(settings), ...(desired.guards ?? guards)].map((line) => `${line}\n`).join('');
  const shards = shardsOf(routes, routesPerShard);
  const digest = createHash('sha256')
    .update(body + shards.join(''))
    .digest('hex');
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  for (const [index, shard] of shards.entries()) writeFileSync(join(folder, `routes-${index}`), shard);
  writeFileSync(join(folder, 'header'), `isthmus-routes 1 ${shards.length} ${digest}\n${body}`);
  return digest.slice(0, 12);
}

/** `count` routes to consecutive /26 blocks from `first`, over 200 next hops. */
export function manyRoutes(count: number, first = '20.1.0.0'): string[] {
  const [a = 0, b = 0] = first.split('.').map(Number);
  return Array.from({ length: count }, (_, index) => {
    const value = ((a << 24) | (b << 16)) + index * 64;
    const octets = [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
    return `${octets.join('.')}/26 10.0.7.${2 + (index % 200)}`;
  });
}

function settingLines(settings: Desired['settings']): string[] {
  return Object.entries({ ...defaults, ...settings })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${value}`);
}

function shardsOf(routes: readonly string[], size: number): string[] {
  const shards: string[] = [];
  for (let from = 0; from < routes.length; from += size)
    shards.push(
      routes
        .slice(from, from + size)
        .map((line) => `${line}\n`)
        .join(''),
    );
  return shards;
}
