# Compares the kernel with the desired routes and says what to do. Use after addresses.awk, with these parts in order:
# guards (header of the desired file), desired (lines of check.awk), before (the same of the file applied before; may be
# left out), links (`ip route get` of next hops, for onlink only), addresses (`ip -o address`), kernel (`ip route`).
# Writes commands for `ip -batch` into the file `batch`, problems into `problems` and up to 32 routes to be tried into
# `sample` (`route get ADDRESS NEXT-HOP DST`); prints `wanted present added replaced withdrawn satisfied gone known` and the
# interfaces that routes of ours use.
# Only rows with our protocol number are ever changed or deleted, and deleted with dst, via, dev and protocol, so that the
# kernel refuses when the row is not ours after all.

# What is done for each of 20,000 rows is kept short: nearly all are found as wanted by the first kernel rule below.

BEGIN {
  count = split("unicast local broadcast anycast multicast blackhole unreachable prohibit throw nat", kind_of, " ")
  for (i = 1; i <= count; i++) is_kind[kind_of[i]] = 1
}

part == "kernel" && ($1 in via_of) && $3 == via_of[$1] && $6 == "proto" && $7 == protocol && NF <= 8 && !($1 in mtu_of) && !($1 in have) {
  have[$1] = device[$5] = 1
  present++
  if (!($1 in before)) known++
  next
}
part == "desired" { order[++wanted] = $1; via_of[$1] = $3; line_of[$1] = $0; if ($4 != "-") mtu_of[$1] = $4; next }
part == "guards" && $1 == "remote" { read_block($2); remotes++; remote_hex[remotes] = block_hex; remote_bits[remotes] = block_bits }
part == "guards" { next }
part == "before" { before[$1] = 1; known++; if (!($1 in via_of)) gone++; next }
part == "links" { link[plain($1)] = word_after("dev"); next }
part == "addresses" { read_address(); next }
part == "kernel" { read_row() }

END {
  for (i = 1; i <= wanted; i++) decide(order[i])
  # Withdrawals come last, so that a block that moved into a wider route is never without one.
  for (i = 1; i <= withdrawn; i++) print withdrawal[i] > batch
  print wanted + 0, present + 0, added + 0, replaced + 0, withdrawn + 0, satisfied + 0, gone + 0, known + 0 list_of_devices()
  take_sample()
}

# One spelling for one address: IPv4 has only one, IPv6 is taken by its digits.
function plain(address) { return index(address, ":") ? hex6(address) : address }

function word_after(name,   i) {
  for (i = 1; i < NF; i++) if ($i == name) return $(i + 1)
  return ""
}

function problem(text) { print text > problems }

# `2: eth0    inet 10.0.0.5/24 brd ...`; a point-to-point address is followed by `peer`.
function read_address(   at) {
  if ($3 != "inet" && $3 != "inet6") return
  at = index($4, "/")
  own[plain(at ? substr($4, 1, at - 1) : $4)] = 1
  suspect(at ? substr($4, 1, at - 1) : $4, "holds this node's own address " $4)
}

# Keeps what a route could only touch by mistake. Routes lie inside the remote pod CIDRs, so nearly nothing is kept.
function suspect(text, why,   i) {
  if (read_block(text) != "") return
  for (i = 1; i <= remotes; i++) {
    if (!overlap(block_hex, block_bits, remote_hex[i], remote_bits[i])) continue
    suspects++
    suspect_hex[suspects] = block_hex
    suspect_bits[suspects] = block_bits
    suspect_why[suspects] = why
    return
  }
}

function read_row(   at, kind, dst, key, via, row_protocol) {
  # `ip -N` writes kinds as numbers, and nothing for unicast.
  if ($1 in kind_of) $1 = kind_of[$1]
  kind = ($1 in is_kind) ? $1 : "unicast"
  at = kind == $1 ? 2 : 1
  dst = $at
  if (dst == "default" || dst == "") return
  via = $(at + 1) == "via" ? $(at + 2) : word_after("via")
  row_protocol = $(at + 5) == "proto" ? $(at + 6) : word_after("proto")
  key = index(dst, ":") ? key6(dst) : (index(dst, "/") ? dst : dst "/32")
  if (kind != "unicast" || via == "" || via == "inet6" || word_after_once("nexthop")) read_other(key, dst, kind, via)
  else if (row_protocol == protocol) read_own(key, dst, via)
  else if (key in via_of) read_foreign(key, via)
}

function word_after_once(name) { return index($0, name) ? word_after(name) != "" : 0 }

function key6(dst) {
  read_block(dst)
  return block_hex "/" block_bits
}

# Rows without one plain next hop are never ours, whatever their number says. Those that lead to a link are networks this node is on.
function read_other(key, dst, kind, via) {
  if (key in via_of) conflict[key] = "the node has " $0
  if (kind == "unicast" && via == "" && word_after("dev") != "lo") suspect(dst, "touches " dst ", which this node reaches directly")
}

function read_foreign(key, via) {
  if (plain(via) == plain(via_of[key])) same[key] = 1
  else conflict[key] = "the node has " $0
}

function read_own(key, dst, via,   metric) {
  present++
  if (!(key in before)) { before[key] = 1; known++; if (!(key in via_of)) gone++ }
  device[word_after("dev")] = 1
  metric = word_after("metric")
  if (key in via_of && !(key in have) && !(key in stale)) {
    if (plain(via) == plain(via_of[key]) && own_mtu() == (key in mtu_of ? mtu_of[key] : "")) have[key] = 1
    else stale[key] = metric == "" ? " " : " metric " metric
    return
  }
  withdrawal[++withdrawn] = "route del " dst " via " via " dev " word_after("dev") " proto " protocol (metric == "" ? "" : " metric " metric)
}

function list_of_devices(   name, list) {
  list = ""
  for (name in device) list = list " " name
  return list
}

function own_mtu(   value) {
  if (!index($0, " mtu ")) return ""
  value = word_after("mtu")
  return value == "lock" ? word_after("lock") : value
}

# A route as asked for, for people and for `ip`.
function text_of(key,   field) {
  split(line_of[key], field, " ")
  return field[2] " via " field[3]
}

function decide(key,   why) {
  if (suspects && (why = touched(key)) != "") { report("REFUSED", key, why); return }
  if (plain(via_of[key]) in own) { report("SKIPPED", key, "the next hop is this node"); return }
  if (key in conflict) { report("CONFLICT", key, conflict[key]); return }
  if (key in have) return
  if (key in same && !(key in stale)) { satisfied++; return }
  if (onlink == "yes" && link[plain(via_of[key])] == "") { report("FAILED", key, "no interface leads to the next hop"); return }
  write_route(key)
}

function report(code, key, why) {
  reported[key] = 1
  problem(code " " text_of(key) ": " why)
}

function touched(key,   i, field) {
  split(line_of[key], field, " ")
  for (i = 1; i <= suspects; i++) if (overlap(field[5], field[6] + 0, suspect_hex[i], suspect_bits[i])) return suspect_why[i]
  return ""
}

# `replace` only where the row to be replaced was just seen and is ours: elsewhere it would overwrite a foreign route.
function write_route(key,   text) {
  text = text_of(key)
  if (onlink == "yes") text = text " dev " link[plain(via_of[key])] " onlink"
  text = text " proto " protocol (key in mtu_of ? " mtu " mtu_of[key] : "")
  if (key in stale) { replaced++; print "route replace " text stale[key] > batch }
  else { added++; print "route add " text > batch }
}

# The first address of every so many blocks; not where a longer block of ours begins, nor what is already reported.
function take_sample(   i, field, address) {
  for (i = 1; i <= wanted; i += int(wanted / 32) + 1) {
    split(line_of[order[i]], field, " ")
    if (order[i] in reported || has_longer(field[2], field[5], field[6])) continue
    address = field[2]
    sub(/\/.*/, "", address)
    print "route get", address, field[3], field[2] > sample
  }
}

function has_longer(dst, hex, bits,   longer, base) {
  base = length(hex) == 8 ? substr(dst, 1, index(dst, "/")) : hex "/"
  for (longer = bits + 1; longer <= length(hex) * 4; longer++) if ((base longer) in via_of) return 1
  return 0
}
