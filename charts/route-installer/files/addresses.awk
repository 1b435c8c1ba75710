# Addresses as hexadecimal text: 8 digits for IPv4, 32 for IPv6. One comparison then serves both families,
# and no number grows beyond what awk counts exactly. Only what mawk and BusyBox awk know is used (no {n} in patterns).

BEGIN {
  zeros = "00000000000000000000000000000000"
  fill_tables()
}

# kept["f2"] is the digit f with its first two bits kept: c. The keys of octet_hex and is_length are numbers as they must be written.
function fill_tables(   digits, number, count, weight) {
  digits = "0123456789abcdef"
  # Not 2 ^ n: BusyBox may come without it.
  split("8 4 2", weight, " ")
  for (number = 0; number < 16; number++)
    for (count = 1; count <= 3; count++) kept[substr(digits, number + 1, 1) count] = substr(digits, number - number % weight[count] + 1, 1)
  for (number = 0; number <= 255; number++) octet_hex[number ""] = sprintf("%02x", number)
  for (number = 0; number <= 128; number++) is_length[number ""] = 1
}

# The digits of an address, or "" when the text is none. Strict: no leading zeros in IPv4, no zone, no embedded IPv4.
function hex_of(text) { return index(text, ":") ? hex6(text) : hex4(text) }

# Look-ups instead of patterns and sprintf: 20,000 routes are read at a time, and "010" is no key of the table.
function hex4(text,   octet) {
  if (split(text, octet, ".") != 4) return ""
  if (!(octet[1] in octet_hex && octet[2] in octet_hex && octet[3] in octet_hex && octet[4] in octet_hex)) return ""
  return octet_hex[octet[1]] octet_hex[octet[2]] octet_hex[octet[3]] octet_hex[octet[4]]
}

function hex6(text,   at, head, tail) {
  text = tolower(text)
  if (text !~ /^[0-9a-f:]+$/) return ""
  at = index(text, "::")
  if (!at) return all_groups(text)
  if (index(substr(text, at + 1), "::")) return ""
  head = groups_of(substr(text, 1, at - 1))
  tail = groups_of(substr(text, at + 2))
  if (head == "?" || tail == "?" || length(head tail) > 28) return ""
  return head substr(zeros, 1, 32 - length(head tail)) tail
}

function all_groups(text,   hex) {
  hex = groups_of(text)
  return length(hex) == 32 ? hex : ""
}

# Four digits for each group between colons; "?" when one is malformed.
function groups_of(text,   group, count, i, hex) {
  hex = ""
  count = split(text, group, ":")
  for (i = 1; i <= count; i++) {
    if (group[i] !~ /^[0-9a-f][0-9a-f]?[0-9a-f]?[0-9a-f]?$/) return "?"
    hex = hex substr(zeros, 1, 4 - length(group[i])) group[i]
  }
  return hex
}

# The first `bits` bits, as digits; the last digit is masked.
function cut(hex, bits,   whole, rest) {
  whole = int(bits / 4)
  rest = bits % 4
  if (!rest) return substr(hex, 1, whole)
  return substr(hex, 1, whole) kept[substr(hex, whole + 1, 1) rest]
}

# True when no bit after the prefix is set.
function is_aligned(hex, bits,   whole, rest) {
  whole = int(bits / 4)
  rest = bits % 4
  if (rest) {
    whole++
    if (kept[substr(hex, whole, 1) rest] != substr(hex, whole, 1)) return 0
  }
  return substr(hex, whole + 1) == substr(zeros, 1, length(hex) - whole)
}

# True when two blocks share an address; blocks either nest or are disjoint.
function overlap(hex_a, bits_a, hex_b, bits_b,   bits) {
  if (length(hex_a) != length(hex_b)) return 0
  bits = bits_a < bits_b ? bits_a : bits_b
  return cut(hex_a, bits) == cut(hex_b, bits)
}

# Reads `address/length` (or an address alone) into block_hex and block_bits; returns what is wrong with it, or "".
function read_block(text,   slash, digits, width) {
  slash = index(text, "/")
  block_hex = hex_of(slash ? substr(text, 1, slash - 1) : text)
  if (block_hex == "") return "is not an address block"
  width = length(block_hex) * 4
  digits = slash ? substr(text, slash + 1) : width
  if (!(digits in is_length) || digits + 0 > width) return "has no valid prefix length"
  block_bits = digits + 0
  return is_aligned(block_hex, block_bits) ? "" : "has host bits set"
}
