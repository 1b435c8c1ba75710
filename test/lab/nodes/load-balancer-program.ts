// The allocator by itself, so that it lives as long as the lab and not only as long as the command that started it.
import { readFileSync } from 'node:fs';
import { createClient } from '../client.ts';
import { giveAddresses } from '../load-balancer.ts';
import { repeat } from '../repeat.ts';
import { createKeepalived } from './keepalived.ts';
import type { LoadBalancerOptions } from './load-balancer.ts';

const [file = ''] = process.argv.slice(2);
const { lab, server, pki, nodes, addresses, router, keep } = JSON.parse(readFileSync(file, 'utf8')) as LoadBalancerOptions;
const client = createClient(server, { pki, user: 'admin' });
const speakers = nodes.map((node, index) => createKeepalived({ lab, node, router, priority: 200 - index, keep }));

repeat(() =>
  giveAddresses(client, addresses, async (inUse) => {
    // A node that is down must not keep the others from answering.
    const served = await Promise.allSettled(speakers.map((speaker) => speaker.serve(inUse)));
    for (const each of served) if (each.status === 'rejected') console.error(String(each.reason));
    if (served.every(({ status }) => status === 'rejected')) throw new Error('no node answers for the addresses');
  }),
);
