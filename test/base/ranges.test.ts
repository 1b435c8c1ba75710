// Edges of the private, internal, public and reserved ranges.
import { type Cidr, parseAddress, parseCidr } from '../../src/base/cidr.ts';
import { documentationRangeOf, isInternal, isPrivate, isPublic, isShared, isTooWide, reservedRangeOf } from '../../src/base/ranges.ts';
import { assert, describe } from '../helpers/suite.ts';

function block(text: string): Cidr {
  const cidr = text.includes('/') ? parseCidr(text) : parseAddress(text);
  if (typeof cidr === 'string') throw new Error(`${text} ${cidr}`);
  return cidr;
}

/** What each block is, one row per edge of a range: text, private, shared, internal, public, reserved range. */
const rows: readonly (readonly [string, boolean, boolean, boolean, boolean, string | undefined])[] = [
  ['10.0.0.0/8', true, false, true, false, undefined],
  ['10.255.255.255', true, false, true, false, undefined],
  ['8.0.0.0/6', false, false, false, true, undefined],
  ['9.111.255.21', false, false, false, true, undefined],
  ['11.0.0.0', false, false, false, true, undefined],
  ['20.1.0.0/16', false, false, false, true, undefined],
  ['172.15.255.255', false, false, false, true, undefined],
  ['172.16.0.0/12', true, false, true, false, undefined],
  ['172.32.0.0/16', false, false, false, true, undefined],
  ['192.168.0.0/16', true, false, true, false, undefined],
  ['192.169.0.0/16', false, false, false, true, undefined],
  ['100.63.255.255', false, false, false, true, undefined],
  ['100.64.0.0/10', false, true, true, false, undefined],
  ['100.0.0.0/8', false, true, false, true, undefined],
  ['198.18.0.0/15', false, false, true, false, undefined],
  ['203.0.113.7', false, false, true, false, undefined],
  ['0.0.0.0', false, false, false, false, '0.0.0.0/8 (this network)'],
  ['0.0.0.0/0', false, true, false, true, '0.0.0.0/8 (this network)'],
  ['127.0.0.1', false, false, false, false, '127.0.0.0/8 (loopback)'],
  ['126.0.0.0/7', false, false, false, true, '127.0.0.0/8 (loopback)'],
  ['169.254.169.254', false, false, false, false, '169.254.0.0/16 (link-local)'],
  ['224.0.0.0/4', false, false, false, false, '224.0.0.0/4 (multicast)'],
  ['255.255.255.255', false, false, false, false, '240.0.0.0/4 (reserved)'],
  ['fc00::/7', true, false, true, false, undefined],
  ['fd00:10:1::/48', true, false, true, false, undefined],
  ['fe00::/9', false, false, false, true, undefined],
  ['2600:1f00::/24', false, false, false, true, undefined],
  ['2001:db8:1::/48', false, false, true, false, undefined],
  ['::', false, false, false, false, '::/128 (unspecified)'],
  ['::1', false, false, false, false, '::1/128 (loopback)'],
  ['::2', false, false, false, false, '::/8 (reserved)'],
  ['64:ff9b::a00:1', false, false, false, false, '64:ff9b::/96 (IPv4 translation)'],
  ['fe80::/64', false, false, false, false, 'fe80::/10 (link-local)'],
  ['ff02::1', false, false, false, false, 'ff00::/8 (multicast)'],
];

describe('address ranges', ({ test }) => {
  for (const [text, isPrivateBlock, shared, internal, publicBlock, reserved] of rows) {
    test(`knows what ${text} is for`, () => {
      const cidr = block(text);

      const found = [isPrivate(cidr), isShared(cidr), isInternal(cidr), isPublic(cidr), reservedRangeOf(cidr)];

      assert.equal(found, [isPrivateBlock, shared, internal, publicBlock, reserved]);
    });
  }

  test('counts declared ranges as internal, and only whole blocks inside them', () => {
    const declared = [block('9.111.0.0/16')];

    assert.is(isInternal(block('9.111.255.21'), declared), true);
    assert.is(isInternal(block('9.0.0.0/8'), declared), false);
  });

  test('names the documentation range of an address from an example', () => {
    assert.is(documentationRangeOf(block('203.0.113.7')), '203.0.113.0/24 (documentation)');
    assert.is(documentationRangeOf(block('2001:db8::1')), '2001:db8::/32 (documentation)');
    assert.is(documentationRangeOf(block('10.0.0.1')), undefined);
  });

  test('refuses ranges wider than /8 and /16', () => {
    assert.equal(
      ['10.0.0.0/8', '10.0.0.0/7', '0.0.0.0/1', 'fd00::/16', 'fc00::/7', '::/0'].map((text) => isTooWide(block(text))),
      [false, true, true, false, true, true],
    );
  });
});
