# The keeper's loop: a look at start, then whenever a file, a link, an address or a route changes, and at the interval.
# A link that goes down and up takes our routes with it, without one message for each.

keep() {
  trap 'stopping=yes' TERM INT
  trap 'woken=yes' USR1
  trap stop_watching EXIT
  pause=1
  while [ -z "$stopping" ]; do
    woken=''
    desired_changed
    look
    watch_kernel
    rest
  done
  say 'stopped; the routes stay'
  exit 143
}

# Waits until something happens or the interval is over. The interval is spread, so that nodes do not all look at once.
rest() {
  left=$((interval + $(random_below $((interval / 5 + 1)))))
  while [ -z "$stopping$woken" ] && [ "$left" -gt 0 ] && ! desired_changed; do
    nap 2
    left=$((left - 2))
  done
  settle
}

# Events come in crowds, so a look waits a second for the rest. When every look finds something to mend, someone works
# against us: wait twice as long each time.
settle() {
  if [ -z "$woken" ] || [ -z "$changes" ]; then pause=1; else pause=$((pause * 2)); fi
  [ "$pause" -le "$interval" ] || pause=$interval
  [ -n "$woken" ] || return 0
  waited=0
  while [ -z "$stopping" ] && [ "$waited" -lt "$pause" ]; do
    nap 1
    waited=$((waited + 1))
  done
}

# A sleep that a signal ends.
nap() {
  sleep "$1" &
  sleeper=$!
  wait "$sleeper"
  kill "$sleeper" 2>/dev/null
  return 0
}

# The header's first line names the digest of everything, so reading one line tells whether anything changed.
desired_changed() {
  line=''
  { read -r line <"$desired/header"; } 2>/dev/null
  [ "$line" != "$desired_line" ] || return 1
  desired_line=$line
}

random_below() { echo $(($(od -An -N2 -tu2 /dev/urandom) % $1)); }

# Reads netlink messages in the background and wakes the loop. Added routes are not worth it: CNIs add one for each pod.
watch_kernel() {
  [ -n "$node_checked" ] || return 0
  if [ -n "$reader" ] && kill -0 "$reader" 2>/dev/null; then return 0; fi
  stop_watching
  rm -f "$state/events"
  mkfifo "$state/events" || return 0
  "$ip_program" -o monitor route link address >"$state/events" 2>/dev/null &
  monitor=$!
  wake_up <"$state/events" &
  reader=$!
  # What happened before it listened went unseen.
  woken=yes
}

wake_up() {
  while read -r event; do
    case $event in
      Deleted* | [0-9]*:\ *) kill -USR1 $$ || return ;;
    esac
  done
}

stop_watching() {
  [ -z "$monitor" ] || kill "$monitor" 2>/dev/null
  [ -z "$reader" ] || kill "$reader" 2>/dev/null
  monitor='' reader=''
}
