// What the agent demands of its image and container, what it warns of, and the state of its scripts.
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, describe } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';
import { manyRoutes } from './desired.ts';
import { agentFolder, onNode, run, shells } from './node.ts';

const routes = manyRoutes(2);

describe('image of the agent', ({ test }) => {
  for (const shell of shells) {
    test(`is refused when its ip is that of BusyBox (${shell})`, () =>
      onNode(shell, async (node) => {
        await node.ip('route add 20.1.0.0/26 via 10.0.7.9 proto 157');
        const programs = join(node.folder, 'only-busybox');
        mkdirSync(programs);
        symlinkSync(toolPath('busybox'), join(programs, 'ip'));
        node.desire({ routes, settings: { mode: 'remove' } });

        const { code, output } = await node.agent('once', { PATH: `${programs}:${process.env['PATH'] ?? ''}` });

        assert.is(code, 1);
        assert.match(output, 'NO-IPROUTE2 ip is not the one of iproute2');
        assert.is((await node.rows()).length, 1);
      }));
  }

  test('is refused without ip', () =>
    onNode('busybox', async (node) => {
      const programs = join(node.folder, 'without-ip');
      mkdirSync(programs);
      for (const name of readdirSync(join(node.folder, 'bin')).filter((name) => name !== 'ip'))
        symlinkSync(toolPath('busybox'), join(programs, name));
      node.desire({ routes });

      const { code, output } = await node.agent('once', { PATH: programs });

      assert.is(code, 1);
      assert.match(output, 'NO-PROGRAM the image has no ip');
    }));

  test('may have an ip that is too old to write names as numbers', () =>
    onNode('dash', async (node) => {
      const programs = join(node.folder, 'old');
      mkdirSync(programs);
      writeFileSync(
        join(programs, 'ip'),
        `#!/bin/sh\n[ "$1" != -N ] || { echo 'Option "-N" is unknown' >&2; exit 255; }\nexec ${toolPath('ip')} "$@"\n`,
      );
      chmodSync(join(programs, 'ip'), 0o755);
      const env = { PATH: `${programs}:${process.env['PATH'] ?? ''}` };
      await node.ip('route add blackhole 20.1.0.0/26 proto 12');
      node.desire({ routes });

      const { output } = await node.agent('once', env);

      assert.match(output, 'CONFLICT 20.1.0.0/26 via 10.0.7.2: the node has blackhole 20.1.0.0/26 proto bird');
      assert.is((await node.rows('proto 157')).length, 1);
    }));

  test('is refused without the capability NET_ADMIN', () =>
    onNode('dash', async (node) => {
      node.desire({ routes });
      const agent = `ISTHMUS_DESIRED=${node.folder}/desired ISTHMUS_STATE=${node.folder}/state sh ${agentFolder}/agent.sh once`;

      const { code, output } = await run('setpriv', ['--bounding-set=-net_admin', '--inh-caps=-all', 'sh', '-c', agent]);

      assert.is(code, 1, output);
      assert.match(output, 'NO-NET-ADMIN the container lacks the capability NET_ADMIN');
    }));

  test('works with NET_ADMIN as its only capability', () =>
    onNode('dash', async (node) => {
      node.desire({ routes });
      const agent = `ISTHMUS_DESIRED=${node.folder}/desired ISTHMUS_STATE=${node.folder}/state sh ${agentFolder}/agent.sh once`;
      await run('chmod', ['-R', 'go+rX', node.folder]);

      const { code, output } = await run(toolPath('ip'), [
        'netns',
        'exec',
        node.namespace,
        'setpriv',
        '--bounding-set=-all,+net_admin',
        '--inh-caps=-all,+net_admin',
        '--no-new-privs',
        'sh',
        '-c',
        agent,
      ]);

      assert.is(code, 0, output);
      assert.is((await node.rows('proto 157')).length, 2);
    }));
});

describe('sysctls of the node', ({ test }) => {
  test('are warned of, but not changed', () =>
    onNode('dash', async (node) => {
      await node.ip('link add eth1 type veth peer name far1');
      for (const command of ['link set eth1 up', 'link set far1 up', 'addr add 10.0.8.1/24 dev eth1']) await node.ip(command);
      const sysctl = (text: string) => run(toolPath('ip'), ['netns', 'exec', node.namespace, 'sh', '-c', text]);
      await sysctl(
        'cd /proc/sys/net/ipv4 && echo 0 >ip_forward && echo 0 >conf/all/rp_filter && echo 1 >conf/eth0/rp_filter && echo 2 >conf/eth1/rp_filter',
      );
      node.desire({ routes: [...routes, '20.1.9.0/26 10.0.8.2'] });

      const { code, output } = await node.agent('once');
      const forward = await sysctl('cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/eth0/rp_filter');

      assert.is(code, 0, output);
      assert.match(output, 'WARNING net.ipv4.ip_forward is 0');
      assert.match(output, 'WARNING rp_filter of eth0 is strict');
      assert.not.match(output, 'rp_filter of eth1');
      assert.is(forward.output, '0\n1\n');
    }));
});

describe('scripts of the agent', ({ test }) => {
  test('satisfy shellcheck', async () => {
    const { code, output } = await run(toolPath('shellcheck'), ['-x', '-s', 'sh', '-P', agentFolder, join(agentFolder, 'agent.sh')]);

    assert.is(code, 0, output);
  });

  test('open with what they are for, and stay short', () => {
    for (const name of readdirSync(agentFolder)) {
      const text = readFileSync(join(agentFolder, name), 'utf8');
      assert.match(text, /^(#!.*\n)?# \S/, name);
      assert.ok(text.split('\n').length <= 200, `${name} is too long`);
      assert.not.match(text.replaceAll(/^\s*#.*$/gm, ''), /\bflush\b|route append/, name);
    }
  });
});
