# Checks a desired file on its own: header lines, then one route a line, `dst via [mtu]`. Use after addresses.awk, with
# part=header before the header file and part=routes before the others.
# Prints each route as `key dst via mtu hex bits` (key: by which the kernel's row is found again) and writes into the file
# `problems` what is wrong. One problem refuses the whole file: a file that is partly wrong was not made by isthmus.

BEGIN {
  words["mode"] = "^(install|remove)$"
  words["protocol"] = "^[0-9]+$"
  words["onlink"] = words["withdraw-mass"] = "^(yes|no)$"
  words["withdraw-percent"] = "^[0-9]+$"
  meaning["local-pod"] = "the local pod CIDR"
  meaning["service"] = "the service CIDR"
  meaning["node"] = "the node addresses"
  meaning["exempt"] = meaning["remote"] = "pods of other clusters"
  special_count = split("0.0.0.0/8 127.0.0.0/8 169.254.0.0/16 224.0.0.0/4 240.0.0.0/4 ::/8 fe80::/10 fec0::/10 ff00::/8", special, " ")
  for (i = 1; i <= special_count; i++) {
    read_block(special[i])
    special_hex[i] = block_hex
    special_bits[i] = block_bits
  }
}

part == "header" && FNR == 1 { next }
part == "header" { read_setting($1, $2); next }
!weighed { weigh_guards() }
{ read_route($1, $2, $3) }

END {
  for (name in words) if (!(name in setting)) problem("header: " name " is missing")
  if (is_taken(setting["protocol"] + 0)) problem("header: route protocol " setting["protocol"] " belongs to someone else")
  for (via in hop_hex) refuse_routes_over(hop_hex[via], length(hop_hex[via]) * 4, "holds next hop " via)
  for (i = 1; i <= suspects; i++) refuse_routes_over(suspect_hex[i], suspect_bits[i], "touches " suspect_text[i])
}

function problem(text) { if (++problem_count <= 20) print text > problems }

# Numbers of the kernel, of routing daemons and of CNIs (BIRD 12, kube-router 17, Calico 80, OVN 84, FRR 191 to 198, ...):
# their owners delete what they did not make, and we would delete what is theirs.
function is_taken(number) {
  if (number < 5 || number > 254) return 1
  return (number >= 8 && number <= 18) || (number >= 186 && number <= 189) || (number >= 191 && number <= 198) || index(" 42 66 80 84 99 ", " " number " ")
}

function read_setting(name, value) {
  if (NF != 2) problem("header: line " FNR " is malformed")
  else if (name in words) read_word(name, value)
  else if (name in meaning) read_guard(name, value)
  else problem("header: unknown setting " name)
}

function read_word(name, value) {
  if (name in setting) problem("header: " name " is given twice")
  if (value !~ words[name]) problem("header: " name " cannot be " value)
  setting[name] = value
}

function read_guard(name, value,   wrong) {
  wrong = index(value, "/") ? read_block(value) : "has no prefix length"
  if (wrong != "") { problem("header: " name " " value " " wrong); return }
  guards++
  guard_name[guards] = name
  guard_text[guards] = value
  guard_hex[guards] = block_hex
  guard_bits[guards] = block_bits
}

# Routes lie inside the pod CIDRs of the other clusters, so only a local guard that touches one of these can touch a
# route. Usually none does, and a route costs one look-up.
function weigh_guards(   i, j) {
  weighed = 1
  for (i = 1; i <= guards; i++) if (guard_name[i] == "remote") take_remote(i)
  for (i = 1; i <= guards; i++) {
    if (guard_name[i] == "remote" || guard_name[i] == "exempt") continue
    for (j = 1; j <= remotes; j++)
      if (overlap(guard_hex[i], guard_bits[i], remote_hex[j], remote_bits[j])) { take_suspect(i); break }
  }
}

function is_special(hex, bits,   i) {
  for (i = 1; i <= special_count; i++) if (overlap(hex, bits, special_hex[i], special_bits[i])) return 1
  return 0
}

function take_remote(i) {
  if (is_special(guard_hex[i], guard_bits[i])) problem("header: remote " guard_text[i] " is not unicast address space")
  remotes++
  remote_hex[remotes] = guard_hex[i]
  remote_bits[remotes] = guard_bits[i]
  add_block("remote", guard_hex[i], guard_bits[i], guard_text[i])
}

function take_suspect(i) {
  suspects++
  suspect_hex[suspects] = guard_hex[i]
  suspect_bits[suspects] = guard_bits[i]
  suspect_text[suspects] = meaning[guard_name[i]] " " guard_text[i]
  add_block("suspect", guard_hex[i], guard_bits[i], suspect_text[suspects])
}

# Blocks are kept by length and digits, so that the one that holds a route is found without trying them all.
function add_block(set, hex, bits, text,   family) {
  family = length(hex)
  block[set, bits, family, cut(hex, bits)] = text
  if ((set, family, bits) in has_length) return
  has_length[set, family, bits] = 1
  length_at[set, family, ++length_count[set, family]] = bits
}

# The text of the block of the set that holds the given one, or "".
function holder(set, hex, bits,   i, family, other, key) {
  family = length(hex)
  for (i = 1; i <= length_count[set, family]; i++) {
    other = length_at[set, family, i]
    if (other > bits) continue
    key = set SUBSEP other SUBSEP family SUBSEP cut(hex, other)
    if (key in block) return block[key]
  }
  return ""
}

function read_route(dst, via, mtu,   wrong) {
  wrong = NF < 2 || NF > 3 ? "is malformed" : index(dst, "/") ? read_block(dst) : "has no prefix length"
  if (wrong == "") wrong = wrong_destination(dst, block_hex, block_bits)
  if (wrong == "") wrong = wrong_next_hop(via, length(block_hex))
  if (wrong == "" && NF == 3) wrong = wrong_mtu(mtu)
  if (wrong != "") { problem("route " $0 " " wrong); return }
  print (length(block_hex) == 8 ? dst : block_hex "/" block_bits), dst, via, NF == 3 ? mtu : "-", block_hex, block_bits
}

function wrong_destination(dst, hex, bits,   touched) {
  if (bits < (length(hex) == 8 ? 8 : 16)) return "is too wide"
  if ((hex, bits) in route) return "is given twice"
  route[hex, bits] = dst
  if (bits != last_bits || length(hex) != last_family) used[last_family = length(hex), last_bits = bits] = 1
  if (holder("remote", hex, bits) == "") return "lies outside the pod CIDRs of the other clusters"
  if (!suspects) return ""
  touched = holder("suspect", hex, bits)
  return touched == "" ? "" : "touches " touched
}

function wrong_next_hop(via, family) {
  if (!(via in hop_hex)) {
    hop_hex[via] = hex_of(via)
    if (is_special(hop_hex[via], length(hop_hex[via]) * 4)) hop_special[via] = 1
  }
  if (hop_hex[via] == "") return "has a next hop that is not an address"
  if (via in hop_special) return "has a next hop that is not a unicast address"
  return length(hop_hex[via]) == family ? "" : "and its next hop are of different families"
}

function wrong_mtu(mtu) { return mtu ~ /^[1-9][0-9]*$/ && mtu + 0 >= 576 && mtu + 0 <= 65535 ? "" : "has an impossible mtu" }

# A route that holds a next hop or something local would capture traffic that is not its own. One look-up for each
# length that routes have; routes inside the block are refused as they are read.
function refuse_routes_over(hex, bits, text,   each, of, wide) {
  for (each in used) {
    split(each, of, SUBSEP)
    if (of[1] + 0 != length(hex) || of[2] + 0 > bits) continue
    wide = substr(cut(hex, of[2] + 0) zeros, 1, length(hex))
    if ((wide, of[2] + 0) in route) problem("route " route[wide, of[2] + 0] " " text)
  }
}
