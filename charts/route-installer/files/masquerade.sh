# Keeps pod addresses from being masqueraded on the way to other clusters, where the CNI knows no better (flannel):
# a RETURN rule from the local pods to each remote pod CIDR, first in nat POSTROUTING.

sync_masquerade() {
  [ -r "$state/good/header" ] || return 0
  read_settings "$state/good/header"
  if [ -z "$exempt" ] && [ -n "$masquerade_clean" ]; then return 0; fi
  trouble=''
  # Both variants see every packet, and this container may read only one.
  if [ -n "$exempt" ] && grep -qx nat /proc/net/ip_tables_names 2>/dev/null; then
    problem 'WARNING this node has legacy iptables nat rules too: they may masquerade what is exempt here'
  fi
  sync_rules 8 iptables
  sync_rules 32 ip6tables
  masquerade_clean=''
  if [ -z "$exempt$trouble" ]; then masquerade_clean=yes; fi
}

# sync_rules DIGITS PROGRAM. nft first: the legacy variant needs NET_RAW too, which this container does not have.
sync_rules() {
  program=$2
  if command -v "$2-nft" >/dev/null 2>&1; then program=$2-nft; fi
  if ! command -v "$program" >/dev/null 2>&1; then
    needs_rules "$1" && trouble=yes && problem "NO-IPTABLES the image has no $2, which masquerade.exemptCIDRs needs"
    return 0
  fi
  if ! "$program" -w 5 -t nat -S POSTROUTING >"$state/rules" 2>"$state/errors"; then
    needs_rules "$1" && trouble=yes && problem "NAT $program: $(head -n 1 "$state/errors")"
    return 0
  fi
  plan_rules "$1" "$state/rules" >"$state/rule-changes"
  change_rules "$program" <"$state/rule-changes"
}

plan_rules() {
  awk -v family="$1" -f "$code/addresses.awk" -f "$code/masquerade.awk" part=header "$state/good/header" part=rules "$2"
}

needs_rules() {
  [ -n "$(plan_rules "$1" /dev/null)" ]
}

# Insert only what `-C` does not find: another run may have been quicker.
change_rules() {
  while read -r action rule; do
    # shellcheck disable=SC2086 # the words of a rule
    set -- "$1" $rule
    case $action in
      insert) "$1" -w 5 -t nat -C POSTROUTING -s "$2" -d "$3" -m comment --comment isthmus -j RETURN 2>/dev/null ||
        "$1" -w 5 -t nat -I POSTROUTING 1 -s "$2" -d "$3" -m comment --comment isthmus -j RETURN 2>"$state/errors" ;;
      delete) delete_rule "$@" 2>"$state/errors" ;;
    esac </dev/null || { trouble=yes; problem "NAT $action $rule: $(head -n 1 "$state/errors")"; }
  done
}

delete_rule() {
  with=$1
  shift
  "$with" -w 5 -t nat -D "$@"
}
