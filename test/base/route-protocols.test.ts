// Route protocol numbers that belong to others.
import { ownedProtocols, protocolOwner } from '../../src/base/route-protocols.ts';
import { assert, describe } from '../helpers/suite.ts';

describe('route protocol numbers', ({ test }) => {
  test('of the kernel, of CNIs and of routing daemons have owners', () => {
    for (const number of [2, 3, 4, 12, 16, 17, 18, 42, 66, 80, 84, 99, 186, 187, 188, 189, 191, 192, 193, 198]) {
      assert.type(protocolOwner(number), 'string', String(number));
    }
    assert.match(protocolOwner(80) ?? '', 'Felix');
    assert.match(protocolOwner(12) ?? '', 'BIRD');
  });

  test('that are free have none', () => {
    for (const number of [5, 6, 7, 100, 157, 185, 199, 254]) assert.is(protocolOwner(number), undefined, String(number));
  });

  test('are listed in order', () => {
    const owned = ownedProtocols();

    assert.equal(
      owned,
      [...owned].sort((a, b) => a - b),
    );
    assert.ok(owned.every((number) => number >= 0 && number <= 255));
  });
});
