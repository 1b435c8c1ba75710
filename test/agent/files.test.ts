// What the agent makes of desired files: refused ones change nothing, and the node says why.
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownedProtocols, protocolOwner } from '../../src/base/route-protocols.ts';
import { assert, describe } from '../helpers/suite.ts';
import { type Desired, guards, manyRoutes } from './desired.ts';
import { type Node, onNode, shells } from './node.ts';

const good = manyRoutes(3);

/** Installs three routes, then hands the agent something wrong: the routes must stay, and the reason must be told. */
async function refuses(node: Node, spoil: () => void, reason: string): Promise<void> {
  node.desire({ routes: good });
  await node.agent('once');
  const before = await node.rows();
  await node.ip('route del 20.1.0.64/26 proto 157');
  spoil();

  const { code, output } = await node.agent('once');

  assert.is(code, 1);
  assert.ok(output.includes(reason), output);
  assert.ok(node.termination().includes(reason), node.termination());
  assert.is(before.length, 3);
  assert.equal(await node.rows(), before, 'the routes in use stay, and are mended');
}

for (const shell of shells) {
  describe(`desired files that are refused (${shell})`, ({ test }) => {
    const files: readonly (readonly [string, (folder: string) => void, string])[] = [
      ['no header', (folder) => rmSync(join(folder, 'header')), 'BAD-FILE the header is missing'],
      ['an empty header', (folder) => writeFileSync(join(folder, 'header'), ''), 'BAD-FILE the header is empty'],
      [
        'a header of something else',
        (folder) => writeFileSync(join(folder, 'header'), '{"routes": []}\n'),
        'first line of the header is malformed',
      ],
      ['a shard that is missing', (folder) => rmSync(join(folder, 'routes-1')), 'BAD-FILE routes-1 is missing'],
      ['half a shard', (folder) => writeFileSync(join(folder, 'routes-1'), '20.1.0.64/26 10.'), 'incomplete or edited'],
      ['a route added by hand', (folder) => appendFileSync(join(folder, 'routes-0'), '20.1.9.0/26 10.0.7.9\n'), 'incomplete or edited'],
      ['a guard removed by hand', (folder) => appendFileSync(join(folder, 'header'), 'remote 0.0.0.0/0\n'), 'incomplete or edited'],
    ];
    for (const [title, spoil, reason] of files) {
      test(title, () =>
        onNode(shell, (node) =>
          refuses(
            node,
            () => {
              node.desire({ routes: manyRoutes(4), routesPerShard: 1 });
              spoil(join(node.folder, 'desired'));
            },
            reason,
          ),
        ),
      );
    }

    const contents: readonly (readonly [string, Desired, string])[] = [
      ['host bits', { routes: ['20.1.0.1/26 10.0.7.2'] }, 'route 20.1.0.1/26 10.0.7.2 has host bits set'],
      ['IPv6 host bits', { routes: ['fd20::1/64 fd00:7::2'] }, 'has host bits set'],
      ['outside the pod CIDRs of other clusters', { routes: ['20.2.0.0/26 10.0.7.2'] }, 'lies outside the pod CIDRs of the other clusters'],
      ['wider than the pod CIDR', { routes: ['20.0.0.0/15 10.0.7.2'] }, 'lies outside'],
      ['the default route', { routes: ['0.0.0.0/0 10.0.7.2'] }, 'is too wide'],
      ['half of the default route', { routes: ['128.0.0.0/1 10.0.7.2'] }, 'is too wide'],
      ['no prefix length', { routes: ['20.1.0.0 10.0.7.2'] }, 'has no prefix length'],
      ['a prefix too long', { routes: ['20.1.0.0/33 10.0.7.2'] }, 'has no valid prefix length'],
      ['leading zeros', { routes: ['20.01.0.0/26 10.0.7.2'] }, 'is not an address block'],
      ['no next hop', { routes: ['20.1.0.0/26'] }, 'is malformed'],
      ['more words', { routes: ['20.1.0.0/26 10.0.7.2 1400 dev eth0'] }, 'is malformed'],
      ['a command', { routes: ['20.1.0.0/26 10.0.7.2;reboot'] }, 'has a next hop that is not an address'],
      ['an option', { routes: ['20.1.0.0/26 10.0.7.2 onlink'] }, 'has an impossible mtu'],
      ['mixed families', { routes: ['20.1.0.0/26 fd00:7::2'] }, 'of different families'],
      ['a multicast next hop', { routes: ['20.1.0.0/26 224.0.0.1'] }, 'not a unicast address'],
      ['a loopback next hop', { routes: ['20.1.0.0/26 127.0.0.1'] }, 'not a unicast address'],
      ['a link-local next hop', { routes: ['fd20:0:0:1::/64 fe80::1'] }, 'not a unicast address'],
      ['a mapped next hop', { routes: ['fd20:0:0:1::/64 ::ffff:10.0.7.2'] }, 'not an address'],
      ['a next hop inside a destination', { routes: ['20.1.0.0/26 20.1.0.5'] }, 'route 20.1.0.0/26 holds next hop 20.1.0.5'],
      ['a destination twice', { routes: ['20.1.0.0/26 10.0.7.2', '20.1.0.0/26 10.0.7.3'] }, 'is given twice'],
      [
        'a local pod CIDR inside',
        { routes: ['20.1.0.0/24 10.0.7.2'], guards: [...guards, 'local-pod 20.1.0.64/26'] },
        'touches the local pod CIDR 20.1.0.64/26',
      ],
      [
        'inside a service CIDR',
        { routes: ['20.1.0.0/26 10.0.7.2'], guards: [...guards, 'service 20.1.0.0/20'] },
        'touches the service CIDR 20.1.0.0/20',
      ],
      [
        'a node address inside',
        { routes: ['20.1.0.0/26 10.0.7.2'], guards: [...guards, 'node 20.1.0.9/32'] },
        'touches the node addresses 20.1.0.9/32',
      ],
      ['a guard that lets everything in', { routes: good, guards: ['remote 0.0.0.0/0'] }, 'remote 0.0.0.0/0 is not unicast address space'],
      ['a guard that is no block', { routes: good, guards: ['remote 20.1.0.0/16', 'node here'] }, 'node here has no prefix length'],
      ['an unknown setting', { routes: good, settings: { flush: 'yes' } }, 'unknown setting flush'],
      ['a missing setting', { routes: good, settings: { onlink: undefined } }, 'onlink is missing'],
      ['an unknown mode', { routes: good, settings: { mode: 'purge' } }, 'mode cannot be purge'],
      ["BIRD's protocol number", { routes: good, settings: { protocol: '12' } }, 'route protocol 12 belongs to someone else'],
    ];
    for (const [title, desired, reason] of contents) {
      test(title, () => onNode(shell, (node) => refuses(node, () => node.desire(desired), reason)));
    }

    test('never withdraws on a new state folder either', () =>
      onNode(shell, async (node) => {
        await node.ip('route add 20.1.0.0/26 via 10.0.7.2 proto 157');
        node.desire({ routes: ['20.1.0.1/26 10.0.7.2'] });

        const { code } = await node.agent('once');

        assert.is(code, 1);
        assert.equal(await node.rows(), ['20.1.0.0/26 via 10.0.7.2 dev eth0 proto 157']);
      }));
  });
}

describe('route protocol numbers', ({ test }) => {
  test('are refused by the agent exactly where the planner says they belong to someone', () =>
    onNode('dash', async (node) => {
      const numbers = [...new Set([...ownedProtocols(), 5, 7, 19, 41, 79, 81, 157, 185, 190, 199, 254])];
      const refused: number[] = [];
      for (const number of numbers) {
        node.desire({ settings: { protocol: String(number) } });
        if ((await node.agent('once')).code !== 0) refused.push(number);
      }

      assert.equal(
        refused.sort((a, b) => a - b),
        numbers.filter((number) => protocolOwner(number) !== undefined).sort((a, b) => a - b),
      );
    }));
});
