// agent.sh check, which helm test runs: it finds what is wrong with the routes of a node, and can change nothing.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, describe } from '../helpers/suite.ts';
import { type Node, type Outcome, onNode, shells } from './node.ts';

const two = ['20.1.0.0/26 10.0.7.2', '20.1.0.64/26 10.0.7.3'];

/** root without a capability: the kernel refuses it every change. */
const withoutCapabilities = ['/usr/bin/setpriv', '--bounding-set=-all', '--inh-caps=-all'];

/** A check with a state folder of its own, as every pod has; the rows of the node must stay as they are. */
async function check(node: Node, env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const before = await node.rows();
  const state = { ISTHMUS_STATE: mkdtempSync(join(node.folder, 'check-')) };
  const outcome = await node.agent('check', { ...state, ...env }, withoutCapabilities);
  assert.equal(await node.rows(), before);
  return outcome;
}

for (const shell of shells) {
  describe(`agent.sh check (${shell})`, ({ test }) => {
    test('passes on a node that has exactly the routes, without any capability', () =>
      onNode(shell, async (node) => {
        node.desire({ routes: two });
        await node.agent('once');

        const { code, output } = await check(node);

        assert.is(code, 0, output);
        assert.match(output, 'ready, revision');
      }));

    test('can change nothing, which once in its place would want to', () =>
      onNode(shell, async (node) => {
        node.desire({ routes: two });

        const { code, output } = await node.agent('once', {}, withoutCapabilities);

        assert.is(code, 1);
        assert.match(output, 'NO-NET-ADMIN');
        assert.equal(await node.rows(), []);
      }));

    test('names each route that is missing, changed or left over', () =>
      onNode(shell, async (node) => {
        node.desire({ routes: [...two, '20.1.0.128/26 10.0.7.4'] });
        await node.agent('once');
        await node.ip('route del 20.1.0.0/26 proto 157');
        await node.ip('route replace 20.1.0.64/26 via 10.0.7.9 proto 157');
        await node.ip('route add 20.1.9.0/26 via 10.0.7.2 proto 157');

        const { code, output } = await check(node);

        assert.is(code, 1);
        assert.match(output, 'MISSING 20.1.0.0/26 via 10.0.7.2');
        assert.match(output, 'MISSING 20.1.0.64/26 via 10.0.7.3');
        assert.match(output, 'LEFT-OVER 20.1.9.0/26 via 10.0.7.2');
        assert.not.match(output, '20.1.0.128/26');
        assert.match(node.termination(), 'MISSING 20.1.0.0/26');
      }));

    test('tells of foreign routes in the way, and of packets that go elsewhere', () =>
      onNode(shell, async (node) => {
        await node.ip('route add 20.1.0.0/26 via 10.0.7.9 proto 12');
        node.desire({ routes: two });
        await node.agent('once');
        await node.ip('rule add to 20.1.0.64/26 lookup 99');
        await node.ip('route add 20.1.0.64/26 via 10.0.7.8 table 99');

        const { code, output } = await check(node);

        assert.is(code, 1);
        assert.match(output, 'CONFLICT 20.1.0.0/26 via 10.0.7.2');
        assert.match(output, 'DIVERTED 20.1.0.64/26');
      }));

    test('in mode remove wants no route of ours', () =>
      onNode(shell, async (node) => {
        node.desire({ routes: two });
        await node.agent('once');
        node.desire({ routes: [], settings: { mode: 'remove' } });

        const before = await check(node);
        await node.agent('once');
        const after = await check(node);

        assert.is(before.code, 1);
        assert.match(before.output, 'LEFT-OVER 20.1.0.0/26');
        assert.is(after.code, 0, after.output);
      }));

    test('fails on files that are no complete set, or of another revision', () =>
      onNode(shell, async (node) => {
        node.desire({ routes: two });
        await node.agent('once');

        const other = await check(node, { ISTHMUS_REVISION: '0123456789ab' });
        writeFileSync(join(node.folder, 'desired', 'routes-0'), '20.1.0.0/26 10.0.7.2\n');
        const broken = await check(node);

        assert.match(other.output, /REVISION [0-9a-f]{12} is in use, this pod waits for 0123456789ab/);
        assert.is(other.code, 1);
        assert.match(broken.output, 'BAD-FILE');
        assert.is(broken.code, 1);
      }));
  });
}
