// The agent's address arithmetic in awk against that of the planner, for both kinds of awk.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Cidr, formatCidr, overlaps, parseCidr, truncate } from '../../src/base/cidr.ts';
import { assert, describe } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';
import { agentFolder } from './node.ts';

const awks = [
  ['awk', ['awk']],
  ['awk of BusyBox', [toolPath('busybox'), 'awk']],
] as const;

/** Runs one awk program over lines, with the address functions loaded. */
function ask(awk: readonly string[], rule: string, lines: readonly string[]): string[] {
  const [program = '', ...args] = awk;
  const all = [...args, '-f', join(agentFolder, 'addresses.awk'), '-f', '/dev/stdin', join('/dev', 'fd', '3')];
  const script = `exec 3<<'END'\n${lines.join('\n')}\nEND\nexec "$@" <<'END'\n${rule}\nEND\n`;
  return execFileSync('/bin/sh', ['-c', script, 'sh', program, ...all], { encoding: 'utf8' })
    .split('\n')
    .slice(0, -1);
}

const block: fc.Arbitrary<Cidr> = fc
  .oneof(
    fc.record({
      family: fc.constant(4 as const),
      start: fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }),
      prefix: fc.integer({ min: 0, max: 32 }),
    }),
    fc.record({
      family: fc.constant(6 as const),
      start: fc.bigInt({ min: 1n << 100n, max: (1n << 128n) - 1n }),
      prefix: fc.integer({ min: 0, max: 128 }),
    }),
  )
  .map((cidr) => truncate(cidr, cidr.prefix));

for (const [name, awk] of awks) {
  describe(`addresses in ${name}`, ({ test }) => {
    test('are read as the planner writes them', () => {
      const cidrs = fc.sample(block, { seed: 1, numRuns: 500 });

      const read = ask(awk, '{ print read_block($1) ":" block_hex "/" block_bits }', cidrs.map(formatCidr));

      const expected = cidrs.map(({ family, start, prefix }) => `:${start.toString(16).padStart(family === 4 ? 8 : 32, '0')}/${prefix}`);
      assert.equal(read, expected);
    });

    test('overlap exactly where the planner says so', () => {
      const near = fc.tuple(block, fc.nat(128), fc.nat(128)).map(([cidr, a, b]) => {
        const width = cidr.family === 4 ? 32 : 128;
        return [truncate(cidr, Math.min(a, width)), truncate(cidr, Math.min(b, width))] as const;
      });
      const pairs = fc.sample(fc.oneof(near, fc.tuple(block, block)), { seed: 2, numRuns: 500 });

      const rule = '{ read_block($1); a = block_hex; n = block_bits; read_block($2); print overlap(a, n, block_hex, block_bits) }';
      const answers = ask(
        awk,
        rule,
        pairs.map(([a, b]) => `${formatCidr(a)} ${formatCidr(b)}`),
      );

      assert.equal(
        answers,
        pairs.map(([a, b]) => (overlaps(a, b) ? '1' : '0')),
      );
    });

    test('are refused where the planner refuses them', () => {
      const texts = [
        ...[
          '10.0.0.1/16',
          '010.0.0.0/8',
          '10.1/16',
          '0x0a000001/32',
          '10.0.0.0/08',
          '10.0.0.0/+8',
          '10.0.0.0/26abc',
          '10.0.0.0/33',
          '10.0.0.256/32',
        ],
        ...[
          '1.2.3.4.5/32',
          '10.0.0.0/',
          '/8',
          'fe80::1%eth0/128',
          '::1::/64',
          ':::/64',
          '1:2:3:4:5:6:7/64',
          '1:2:3:4:5:6:7:8:9/64',
          '12345::/64',
          'g::/64',
        ],
        ...['::ffff:10.0.0.0/104', 'fd00::1/64', 'fd00::/129', '10.0.0.0/8x', '-1.0.0.0/8', '1e1.0.0.0/8', '10.0.0.0/1e1'],
      ];

      const answers = ask(awk, '{ print read_block($1) != "" }', texts);

      assert.equal(
        texts.filter((_, index) => answers[index] !== '1'),
        [],
      );
      assert.equal(
        texts.filter((text) => typeof parseCidr(text) !== 'string'),
        [],
      );
    });
  });
}
