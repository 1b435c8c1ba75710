// The nat rules that keep pod addresses, with a stand-in for iptables that keeps rules in a file and knows no more than the agent may ask.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, describe } from '../helpers/suite.ts';
import { guards, manyRoutes } from './desired.ts';
import { type Node, onNode, shells } from './node.ts';

const routes = manyRoutes(2);
const flannel = '-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG';
const rule = (from: string, to: string) => `-A POSTROUTING -s ${from} -d ${to} -m comment --comment isthmus -j RETURN`;

/** -S lists, -C finds, -I puts first, -D takes one away; everything else, and any other table, is an error. */
function iptables(rules: string): string {
  return `#!/bin/sh
[ "$1 $2 $3 $4" = "-w 5 -t nat" ] || exit 2
shift 4
action=$1 chain=$2
shift 2
[ "$chain" = POSTROUTING ] || exit 2
[ ! -e ${rules}.broken ] || { echo "iptables: Permission denied (you must be root)" >&2; exit 4; }
touch ${rules}
case $action in
  -S) echo '-P POSTROUTING ACCEPT'; cat ${rules} ;;
  -C) grep -qxF -- "-A POSTROUTING $*" ${rules} ;;
  -I) [ "$1" = 1 ] || exit 2; shift; { echo "-A POSTROUTING $*"; cat ${rules}; } >${rules}.new && mv ${rules}.new ${rules} ;;
  -D) awk -v rule="-A POSTROUTING $*" '$0 == rule && !done { done = 1; next } { print }' ${rules} >${rules}.new && mv ${rules}.new ${rules} ;;
  *) exit 2 ;;
esac
`;
}

interface Nat {
  readonly env: Readonly<Record<string, string>>;
  rules(name?: string): string[];
  set(rules: readonly string[]): void;
}

function withIptables(node: Node, names: readonly string[] = ['iptables', 'ip6tables']): Nat {
  const programs = join(node.folder, 'nat');
  mkdirSync(programs);
  const file = (name: string) => join(node.folder, `${name}.rules`);
  // Under both names: the agent takes the nft one where the machine has it.
  for (const name of names)
    for (const program of [name, `${name}-nft`]) {
      writeFileSync(join(programs, program), iptables(file(name)));
      chmodSync(join(programs, program), 0o755);
    }
  const busybox = join(node.folder, 'bin');
  return {
    env: { PATH: `${programs}:${existsSync(busybox) ? `${busybox}:` : ''}/usr/bin:/bin:/usr/sbin:/sbin` },
    rules: (name = 'iptables') => (existsSync(file(name)) ? readFileSync(file(name), 'utf8').split('\n').filter(Boolean) : []),
    set: (rules) => writeFileSync(file('iptables'), rules.map((line) => `${line}\n`).join('')),
  };
}

for (const shell of shells) {
  describe(`nat rules (${shell})`, ({ test }) => {
    test('exempt local pods on the way to remote pods, first of all, once', () =>
      onNode(shell, async (node) => {
        const nat = withIptables(node);
        nat.set([flannel]);
        node.desire({ routes, guards: [...guards, 'local-pod fd10::/64', 'exempt 20.1.0.0/16', 'exempt fd20::/32'] });

        const first = await node.agent('once', nat.env);
        const second = await node.agent('once', nat.env);

        assert.is(first.code, 0, first.output);
        assert.is(second.code, 0, second.output);
        assert.equal(nat.rules(), [rule('10.1.0.0/16', '20.1.0.0/16'), flannel]);
        assert.equal(nat.rules('ip6tables'), [rule('fd10::/64', 'fd20::/32')]);
      }));

    test('go when they are no longer wanted, twice there or in mode remove; others stay', () =>
      onNode(shell, async (node) => {
        const nat = withIptables(node);
        const old = rule('10.1.0.0/16', '20.9.0.0/16');
        const other = '-A POSTROUTING -s 10.1.0.0/16 -d 20.1.0.0/16 -p tcp -m comment --comment isthmus -j RETURN';
        const kept = rule('10.1.0.0/16', '20.1.0.0/16');
        nat.set([old, kept, flannel, kept, other]);
        const exempt = [...guards, 'exempt 20.1.0.0/16'];
        node.desire({ routes, guards: exempt });
        const install = await node.agent('once', nat.env);
        const installed = nat.rules();
        node.desire({ routes, guards: exempt, settings: { mode: 'remove' } });

        const remove = await node.agent('once', nat.env);

        assert.is(install.code, 0, install.output);
        assert.is(installed.filter((line) => line === kept).length, 1);
        assert.not.ok(installed.includes(old));
        assert.is(remove.code, 0, remove.output);
        assert.equal(nat.rules(), [flannel, other]);
      }));

    test('make the node not ready when they cannot be set, and only then', () =>
      onNode(shell, async (node) => {
        const nat = withIptables(node);
        writeFileSync(join(node.folder, 'iptables.rules.broken'), '');
        node.desire({ routes });
        const unneeded = await node.agent('once', nat.env);
        node.desire({ routes, guards: [...guards, 'exempt 20.1.0.0/16'] });

        const needed = await node.agent('once', nat.env);

        assert.is(unneeded.code, 0, unneeded.output);
        assert.is(needed.code, 1);
        assert.match(needed.output, 'NAT iptables-nft: iptables: Permission denied');
        assert.is((await node.rows('proto 157')).length, 2, 'the routes are there all the same');
      }));
  });
}

describe('nat rules without iptables', ({ test }) => {
  test('make the node not ready when they are wanted', () =>
    onNode('busybox', async (node) => {
      const env = { PATH: join(node.folder, 'bin') };
      node.desire({ routes });
      const unneeded = await node.agent('once', env);
      node.desire({ routes, guards: [...guards, 'exempt 20.1.0.0/16'] });

      const needed = await node.agent('once', env);

      assert.is(unneeded.code, 0, unneeded.output);
      assert.is(needed.code, 1);
      assert.match(needed.output, 'NO-IPTABLES the image has no iptables, which masquerade.exemptCIDRs needs');
    }));
});
