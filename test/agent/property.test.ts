// Whatever files follow each other: the kernel's rows of ours are those of the last file that was accepted, and foreign rows never change.
import fc from 'fast-check';
import { assert, describe } from '../helpers/suite.ts';
import { manyRoutes } from './desired.ts';
import { type Node, onNode, shells } from './node.ts';

const blocks = manyRoutes(12).map((line) => line.split(' ')[0] ?? '');
const foreign = [
  '20.1.0.0/26 via 10.0.7.200 dev eth0 proto 12',
  '20.1.0.64/26 via 10.0.7.3 dev eth0 proto 4 metric 9',
  '40.0.0.0/8 via 10.0.7.9 dev eth0 proto 80',
];

interface Step {
  /** Next hop of each block that the file names. */
  readonly hops: readonly (readonly [string, number])[];
  readonly mass: boolean;
  /** A route that makes the agent refuse the whole file. */
  readonly spoiled: boolean;
  readonly remove: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  hops: fc.uniqueArray(fc.tuple(fc.constantFrom(...blocks), fc.integer({ min: 2, max: 5 })), { selector: ([dst]) => dst, minLength: 1 }),
  mass: fc.boolean(),
  spoiled: fc.integer({ min: 0, max: 4 }).map((value) => value === 0),
  remove: fc.integer({ min: 0, max: 6 }).map((value) => value === 0),
});

/** What the agent should have in use after a step: a model of its rules in a few lines. */
function nextUse(use: ReadonlyMap<string, number>, { hops, mass, spoiled, remove }: Step): ReadonlyMap<string, number> {
  if (spoiled) return use;
  if (remove) return new Map();
  const wanted = new Map(hops);
  const gone = [...use.keys()].filter((dst) => !wanted.has(dst)).length;
  return gone > 0 && !mass && gone > Math.ceil(use.size * 0.3) ? use : wanted;
}

/** The block with a conflict and the one that is satisfied never become rows of ours. */
function ownRows(use: ReadonlyMap<string, number>): string[] {
  return [...use]
    .filter(([dst]) => dst !== '20.1.0.0/26' && dst !== '20.1.0.64/26')
    .map(([dst, hop]) => `${dst} via 10.0.7.${hop} dev eth0`)
    .sort();
}

async function apply(node: Node, { hops, mass, spoiled, remove }: Step): Promise<void> {
  const routes = hops.map(([dst, hop]) => `${dst} 10.0.7.${hop}`);
  node.desire({
    routes: spoiled ? [...routes, '20.1.0.1/26 10.0.7.2'] : routes,
    settings: { mode: remove ? 'remove' : 'install', 'withdraw-mass': mass ? 'yes' : 'no' },
  });
  await node.agent('once');
}

for (const shell of shells) {
  describe(`any sequence of desired files (${shell})`, ({ test }) => {
    test(
      'ends with the rows of the last accepted one, and with every foreign row',
      () =>
        fc.assert(
          fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) =>
            onNode(shell, async (node) => {
              for (const row of foreign) await node.ip(`route add ${row}`);
              let use: ReadonlyMap<string, number> = new Map();
              for (const each of steps) {
                await apply(node, each);
                use = nextUse(use, each);

                const rows = (await node.rows()).filter((row) => !row.endsWith('proto 157'));
                assert.equal(rows, [...foreign].sort());
                assert.equal(await node.rows('proto 157'), ownRows(use));
              }
            }),
          ),
          { seed: 20180614, numRuns: 8 },
        ),
      { timeoutMs: 60_000 },
    );
  });
}
