// Suggestions for mistyped words.
import { closest } from '../../src/base/closest.ts';
import { assert, describe } from '../helpers/suite.ts';

const keys = ['name', 'role', 'context', 'podCIDRs', 'serviceCIDRs', 'nodes', 'network'];

describe('the closest word', ({ test }) => {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['podCidrs', 'podCIDRs'],
    ['podCIDR', 'podCIDRs'],
    ['nodse', 'nodes'],
    ['rol', 'role'],
    ['contxt', 'context'],
    ['servceCIDR', 'serviceCIDRs'],
    ['nam', 'name'],
    ['x', undefined],
    ['', undefined],
    ['loadBalancer', undefined],
    ['constructor', undefined],
  ];
  for (const [word, expected] of rows) {
    test(`to "${word}" is ${expected ?? 'none'}`, () => {
      assert.is(closest(word, keys), expected);
    });
  }

  test('is the nearest of several', () => {
    assert.is(closest('abcdefx', ['abcdeyy', 'abcdefg']), 'abcdefg');
  });

  test('counts a swap of neighbours as one edit', () => {
    assert.is(closest('ab', ['ba']), 'ba');
    assert.is(closest('ab', ['cd']), undefined);
  });
});
