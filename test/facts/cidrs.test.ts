// CIDRs as clusters write them.
import { formatCidr } from '../../src/base/cidr.ts';
import { aggregateTexts, networkCidrs, parseNetwork, splitCidrs, validCidrs } from '../../src/facts/cidrs.ts';
import type { Problem } from '../../src/findings/types.ts';
import { assert, describe } from '../helpers/suite.ts';

describe('CIDRs of a cluster', ({ test }) => {
  test('are ordered, written in one form and kept once', () => {
    const problems: Problem[] = [];

    const cidrs = validCidrs(['10.2.0.0/16', 'FD00::/56', '10.1.0.0/16', '10.2.0.0/16'], 'here', (problem) => problems.push(problem));

    assert.equal(cidrs, ['10.1.0.0/16', '10.2.0.0/16', 'fd00::/56']);
    assert.equal(problems, []);
  });

  test('are left out and reported when they make no sense', () => {
    const problems: Problem[] = [];

    const cidrs = validCidrs(['10.1.0.1/16', 'all', '10.3.0.0/16'], 'IPPool x', (problem) => problems.push(problem));

    assert.equal(cidrs, ['10.3.0.0/16']);
    assert.equal(
      problems.map(({ code, where }) => `${code} ${where}`),
      ['ISM015 IPPool x', 'ISM015 IPPool x'],
    );
    assert.match(problems[0]?.message ?? '', 'did you mean 10.1.0.0/16?');
  });

  test('of Kubernetes flags may have host bits set', () => {
    const report = (problem: Problem): void => assert.unreachable(problem.message);

    assert.equal(networkCidrs(['10.0.0.1/24', 'fd00::5/112'], 'flag', report), ['10.0.0.0/24', 'fd00::/112']);
  });

  test('need a prefix length and an address also as a network', () => {
    assert.match(String(parseNetwork('10.0.0.1')), 'has no prefix length');
    assert.match(String(parseNetwork('ten/8')), 'is not an IP address');
    assert.match(String(parseNetwork('10.0.0.1/33')), 'prefix longer than 32');
    const network = parseNetwork('9.111.255.21/24');
    assert.is(typeof network === 'string' ? network : formatCidr(network), '9.111.255.0/24');
  });

  test('are split at commas and spaces', () => {
    assert.equal(splitCidrs('10.1.0.0/16,fd00::/56 10.2.0.0/16'), ['10.1.0.0/16', 'fd00::/56', '10.2.0.0/16']);
    assert.equal(splitCidrs(undefined), []);
    assert.equal(splitCidrs(''), []);
  });

  test('join only where the union is exact', () => {
    assert.equal(aggregateTexts(['10.42.1.0/24', '10.42.0.0/24', '10.42.3.0/24']), ['10.42.0.0/23', '10.42.3.0/24']);
  });
});
