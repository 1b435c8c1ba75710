# Names sampled routes whose packets would go elsewhere. Use after addresses.awk. Parts in order: sample
# (`route get ADDRESS NEXT-HOP DST`), answers (what `ip route get` said, one line for each address it could answer).

part == "sample" { asked[++n] = plain($3); via[asked[n]] = $4; dst[asked[n]] = $5; next }
{ address = plain($1 ~ /^[0-9a-f]*[.:]/ ? $1 : $2); answer[address] = $0; hop[address] = next_hop() }

END {
  for (i = 1; i <= n; i++) {
    address = asked[i]
    if (plain(hop[address]) == plain(via[address])) continue
    print "DIVERTED " dst[address] " via " via[address] ": " (answer[address] == "" ? "the kernel finds no way" : "packets go " tail(answer[address]))
  }
}

function plain(text) { return index(text, ":") ? hex6(text) : text }

function next_hop(   i) {
  for (i = 1; i < NF; i++) if ($i == "via") return $(i + 1)
  return ""
}

function tail(text) { sub(/ *(src|uid|\\).*/, "", text); return text }
