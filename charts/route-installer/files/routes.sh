# The kernel's routes: list, compare, change, and look again. Only rows of table main with our protocol number are ours.

# Brings the kernel in line with the set in use, or with the one in $state/next if that may replace it.
sync_routes() {
  [ -n "$fresh" ] || [ -r "$state/good/header" ] || return 1
  list_kernel || return 1
  if [ -n "$fresh" ]; then
    compare "$state/next" "$state/good/routes" || return 1
    if may_withdraw; then accept_next; else fresh=''; fi
  fi
  [ -r "$state/good/header" ] || return 1
  [ -n "$fresh" ] || compare "$state/good" || return 1
  apply_batch
}

# Everything that the comparison needs to know of the node.
list_kernel() {
  ip -o addr show >"$state/addresses" 2>"$state/errors" || { problem "IP $(head -n 1 "$state/errors")"; return 1; }
  list_family -4 >"$state/kernel" && list_family -6 >>"$state/kernel"
}

# A dump that was interrupted by changes may lack rows, and a row that seems missing must not be acted on.
list_family() {
  tries=0
  while [ "$tries" -lt 5 ]; do
    # shellcheck disable=SC2086 # an option or nothing
    if ip $numeric -o "$1" route show table main 2>"$state/errors" && [ ! -s "$state/errors" ]; then return 0; fi
    tries=$((tries + 1))
    # Without IPv6 in the kernel there is nothing to list.
    [ "$1" = -6 ] && [ ! -e /proc/net/if_inet6 ] && return 0
  done
  problem "IP listing routes: $(head -n 1 "$state/errors")"
  return 1
}

# compare SET [ROUTES-BEFORE]: what the set asks of the kernel. Leaves $state/batch, $state/found and the counts.
compare() {
  : >"$state/batch"
  : >"$state/found"
  : >"$state/sample"
  : >"$state/links"
  read_settings "$1/header"
  if [ -z "$numeric" ] && has_name "$protocol"; then
    problem "PROTOCOL the image has a name for $protocol, and its ip is too old to print the number"
    return 1
  fi
  routes=$1/routes
  [ "$mode" = install ] || routes=/dev/null
  [ "$onlink" = no ] || find_links "$routes"
  before=${2:-/dev/null}
  [ -r "$before" ] || before=/dev/null
  counts=$(awk -v protocol="$protocol" -v onlink="$onlink" -v batch="$state/batch" -v problems="$state/found" -v sample="$state/sample" \
    -f "$code/addresses.awk" -f "$code/diff.awk" part=guards "$1/header" part=desired "$routes" part=before "$before" \
    part=links "$state/links" part=addresses "$state/addresses" part=kernel "$state/kernel") || { problem 'AGENT comparing failed'; return 1; }
  # shellcheck disable=SC2086 # eight numbers and names of interfaces
  set -- $counts
  wanted=$1 present=$2 added=$3 replaced=$4 withdrawn=$5 satisfied=$6 gone=$7 known=$8
  shift 8
  devices=$*
}

# The interface that leads to each next hop: `onlink` makes the kernel believe us, so we must name one.
find_links() {
  awk '!($3 in seen) { seen[$3] = 1; print "route get " $3 }' "$1" | ip -o -force -batch - >"$state/links" 2>/dev/null
}

# The classic outage is a source that answers with an empty list. Rounded up, so that one of two nodes may leave.
may_withdraw() {
  [ "$mode" = install ] || return 0
  [ "$gone" -gt 0 ] || return 0
  if [ "$wanted" -eq 0 ]; then
    problem "EMPTY revision $revision has no routes and $known are in use; removal needs mode: remove"
    return 1
  fi
  [ "$withdraw_mass" = no ] || return 0
  [ "$gone" -gt $(((known * withdraw_percent + 99) / 100)) ] || return 0
  problem "MASS-WITHDRAWAL revision $revision withdraws $gone of $known routes, more than $withdraw_percent %; set withdrawal.allowMass to accept it"
  return 1
}

# Changes what is to be changed, then looks again: the exit code of a batch does not say which rows are there.
apply_batch() {
  cat "$state/found" >>"$state/problems"
  [ -s "$state/batch" ] || return 0
  changes="$added added, $replaced replaced, $withdrawn withdrawn"
  mv "$state/batch" "$state/commands"
  ip -force -batch "$state/commands" >/dev/null 2>"$state/errors-of-batch"
  list_kernel && compare "$state/good" || return 1
  say "$changes (revision $(revision_in_use): $wanted routes)"
  [ -s "$state/batch" ] || return 0
  awk -f "$code/explain.awk" part=batch "$state/commands" part=errors "$state/errors-of-batch" part=left "$state/batch" >>"$state/problems"
}

# Asks the kernel where packets really go, for a sample: a rule, another table or a longer foreign prefix may divert them.
probe_sample() {
  [ -s "$state/sample" ] || return 0
  cut -d' ' -f1-3 "$state/sample" | ip -o -force -batch - >"$state/answers" 2>/dev/null
  awk -f "$code/addresses.awk" -f "$code/divert.awk" part=sample "$state/sample" part=answers "$state/answers" >>"$state/problems"
}
