# The desired routes as they are mounted: `header` and `routes-0`, `routes-1`, ... Reads them as one complete set or not at all.
# A set is complete when the digest in the header's first line, `isthmus-routes 1 SHARDS SHA256`, is that of the rest of
# the header and of all shards: several ConfigMaps do not change at the same instant, and people edit them.

# Leaves a checked set in $state/next (header, routes) when it differs from the set in use, and sets $revision.
# Returns 1 with a BAD-FILE problem when the mounted set cannot be used; the set in use is not touched.
load_desired() {
  fresh=''
  rm -rf "$state/next" && mkdir -p "$state/next" || return 1
  copy_set || return 1
  revision=$(short "$digest")
  [ "$digest" != "$accepted" ] || return 0
  check_set || return 1
  fresh=yes
}

# Copies before it checks, because the kubelet may swap the mounted files at any moment.
copy_set() {
  cat "$desired/header" >"$state/next/header" 2>/dev/null || { problem 'BAD-FILE the header is missing'; return 1; }
  read -r magic version shards digest rest <"$state/next/header" || { problem 'BAD-FILE the header is empty'; return 1; }
  case "$magic $version/$shards/$digest/$rest" in
    'isthmus-routes 1'/[0-9]/????????*/ | 'isthmus-routes 1'/[0-9][0-9]/????????*/ | 'isthmus-routes 1'/[0-9][0-9][0-9]/????????*/) ;;
    *) problem 'BAD-FILE the first line of the header is malformed'; return 1 ;;
  esac
  : >"$state/next/shards"
  shard=0
  while [ "$shard" -lt "$shards" ]; do
    cat "$desired/routes-$shard" >>"$state/next/shards" 2>/dev/null || { problem "BAD-FILE routes-$shard is missing"; return 1; }
    shard=$((shard + 1))
  done
  actual=$(sed 1d "$state/next/header" | cat - "$state/next/shards" | sha256sum | cut -d' ' -f1)
  [ "$actual" = "$digest" ] || { problem "BAD-FILE the digest is $actual, the header says $digest: incomplete or edited"; return 1; }
}

check_set() {
  rm -f "$state/wrong"
  awk -v problems="$state/wrong" -f "$code/addresses.awk" -f "$code/check.awk" \
    part=header "$state/next/header" part=routes "$state/next/shards" >"$state/next/routes" 2>"$state/errors" || { problem 'BAD-FILE the routes cannot be read'; return 1; }
  [ -s "$state/wrong" ] || return 0
  sed 's/^/BAD-FILE /' "$state/wrong" >>"$state/problems"
  return 1
}

# The checked set becomes the one in use. Its name is remembered in memory: a set that is half moved when we die is checked again.
accept_next() {
  rm -rf "$state/good" && mv "$state/next" "$state/good" && accepted=$digest
}

# read_settings HEADER: its settings as variables; `exempt` only tells whether there are any.
read_settings() {
  mode='' protocol='' onlink='' withdraw_percent='' withdraw_mass='' exempt=''
  while read -r name value _; do
    case $name in
      mode) mode=$value ;;
      protocol) protocol=$value ;;
      onlink) onlink=$value ;;
      withdraw-percent) withdraw_percent=$value ;;
      withdraw-mass) withdraw_mass=$value ;;
      exempt) exempt=yes ;;
    esac
  done <"$1"
}

# The first 12 digits of a digest: the name of a revision. Written without a process, like all that every look does.
short() { echo "${1%"${1#????????????}"}"; }
