# Compares the nat rules that are wanted with those that are there. Use after addresses.awk with family=8 (IPv4) or 32 (IPv6,
# both in digits). Parts in order: header (of the desired file), rules (`iptables -t nat -S POSTROUTING`).
# Prints `insert SOURCE DESTINATION` and `delete RULE`.

part == "header" && $1 == "local-pod" && !read_block($2) && length(block_hex) == family { source[++sources] = $2; next }
part == "header" && $1 == "exempt" && !read_block($2) && length(block_hex) == family { target[++targets] = $2; next }
part == "header" { if ($1 == "mode") mode = $2; next }
{ gsub(/"/, "") }
/ --comment isthmus / { read_rule() }

END {
  if (mode == "install")
    for (i = 1; i <= sources; i++)
      for (j = 1; j <= targets; j++) rule_wanted[pair(source[i], target[j])] = source[i] " " target[j]
  for (each in rule_wanted) if (!(each in there)) print "insert " rule_wanted[each]
  for (i = 1; i <= rules; i++) {
    if ((rule_pair[i] in rule_wanted) && !(rule_pair[i] in kept_rule)) kept_rule[rule_pair[i]] = 1
    else print "delete " rule[i]
  }
}

function pair(from, to,   text) {
  read_block(from)
  text = block_hex "/" block_bits " "
  read_block(to)
  return text block_hex "/" block_bits
}

# Only a rule that has nothing but source, destination and comment is one of ours; `-A` is left out of what is printed.
function read_rule(   text) {
  text = $0
  sub(/^-A /, "", text)
  if (text !~ /^POSTROUTING -s [^ ]+ -d [^ ]+ -m comment --comment isthmus -j RETURN *$/) return
  rule[++rules] = text
  rule_pair[rules] = pair($4, $6)
  there[rule_pair[rules]] = 1
}
