// What runs in a probe pod: a POSIX shell program that listens, or asks other probe pods, with nc and ping and no privilege.

/** Port that probe pods listen on; above 1024, so that it needs no privilege. */
export const probePort = 18157;

/** Bytes that go each way over a connection: several full-size segments, and less than a pipe holds. */
export const transferBytes = 32_768;

/**
 * `sh -c <this> probe listen` or `ask`.
 *
 * Environment: PROBE_RUN (names the run, so that nobody else's pod is mistaken for one), PROBE_ADDRESS (own address),
 * PROBE_FOLDER (writable), and for `ask` PROBE_TARGETS (`<number> <address>` a line) and PROBE_PATIENCE (seconds to try again while a
 * target refuses, because it is busy with another one).
 *
 * Who asks sends one line and 32 KiB; who listens answers one line at once - its MTU, and for each connection `local=remote` as the
 * kernel writes addresses in /proc/net/tcp - and 32 KiB when it has all of what was sent. So the first line shows that the connection
 * works and which source address arrives, and the rest that full segments pass both ways.
 *
 * Prints for each target `<number> tcp=<word> ping=<word> full=<word> size=<bytes> seen=<local=remote,...>`; `resultLine` reads it.
 */
export const probeScript = String.raw`
port=${probePort}
bytes=${transferBytes}

main() {
  for program in nc ping ip awk timeout mkfifo; do
    command -v "$program" >/dev/null || fail "the image has no $program"
  done
  cd "$PROBE_FOLDER" || fail "cannot use $PROBE_FOLDER"
  help=$(nc -h 2>&1)
  mtu=$(own_mtu)
  case $1 in
    listen) listen ;;
    ask) ask ;;
  esac
}

fail() {
  echo "$1" >&2
  exit 1
}

own_mtu() {
  device=$(ip -o addr show | awk -v own="$PROBE_ADDRESS" '{ split($4, address, "/") } address[1] == own { print $2 }')
  cat "/sys/class/net/$device/mtu" 2>/dev/null || echo 1280
}

# One connection after the other. Whoever comes meanwhile is refused, and comes again.
listen() {
  options=$(listen_options)
  while :; do
    rm -f answer
    mkfifo answer
    # shellcheck disable=SC2086,SC2094 # several options; the pipe has two ends
    timeout 15 nc $options -l -p "$port" <answer | { answer || pause; } >answer
  done
}

# OpenBSD's nc and the traditional one close the connection after the end of their input only when asked; others do so anyway.
listen_options() {
  case $help in *-46*) case $PROBE_ADDRESS in *:*) echo -6 ;; esac ;; esac
  case $help in
    *-N*) echo -N ;;
    *-q*) echo -q 1 ;;
  esac
}

answer() {
  read -r hello && [ "$hello" = "isthmus $PROBE_RUN" ] || return 1
  echo "isthmus $mtu $(peers)"
  [ "$(head -c "$bytes" | wc -c)" -eq "$bytes" ] && head -c "$bytes" /dev/zero
}

# Open connections to our port, and those that the other side has closed already.
peers() {
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$(printf '%04X' "$port")" '
    { split($2, local, ":"); split($3, remote, ":") }
    local[2] == port && ($4 == "01" || $4 == "08") { list = list "," local[1] "=" remote[1] }
    END { print substr(list, 2) }'
}

ask() {
  { echo "isthmus $PROBE_RUN" && head -c "$bytes" /dev/zero; } >request
  # A copy has neither the capabilities nor the owner of the original, which a pod without privileges may not even start.
  pinger=ping
  cp "$(command -v ping)" ping 2>/dev/null && pinger=./ping
  can_ping=''
  can_refuse_fragments=''
  pings "$PROBE_ADDRESS" && can_ping=yes
  pings "$PROBE_ADDRESS" -M 'do' -s 100 && can_refuse_fragments=yes
  printf '%s\n' "$PROBE_TARGETS" | {
    started=0
    while read -r number address; do
      probe "$number" "$address" &
      started=$((started + 1))
      [ $((started % 10)) -ne 0 ] || wait
    done
    wait
  }
}

probe() {
  mkdir "$1"
  tcp=$(exchange "$1" "$2")
  read -r _ far_mtu seen 2>/dev/null <"$1/answer"
  ping=$(reaches "$2")
  full=$(passes_whole "$1" "$2")
  echo "$1 tcp=$tcp ping=$ping full=$full size=$(packet_size) seen=$seen"
}

# Prints ok once the first line of the answer is there. Tries again while somebody refuses, and 3 times while nobody answers.
exchange() {
  end=$(($(date +%s) + PROBE_PATIENCE))
  silent=0
  while :; do
    start=$(date +%s)
    connect "$2" <request >"$1/answer" 2>"$1/error"
    [ "$(wc -c <"$1/answer")" -le "$bytes" ] || break
    [ $(($(date +%s) - start)) -lt 4 ] || silent=$((silent + 1))
    if [ "$silent" -eq 3 ] || [ "$(date +%s)" -ge "$end" ]; then break; fi
    pause
  done
  case $(head -n 1 "$1/answer" | tr -d '\000') in 'isthmus '*) echo ok && return ;; esac
  case $(cat "$1/error") in
    *refused*) echo refused ;;
    *nreachable* | *'o route'*) echo unreachable ;;
    *) echo silent ;;
  esac
}

# Others than these two take the end of their input for the end of the connection, so their input stays open.
connect() {
  case $help in
    *-N*) timeout 5 nc -v "$1" "$port" ;;
    *-q*) timeout 5 nc "$1" "$port" ;;
    *) connect_open "$1" ;;
  esac
}

connect_open() {
  pipe=$(mktemp -u open.XXXXXX)
  mkfifo "$pipe"
  exec 9<>"$pipe"
  cat >&9
  timeout 5 nc "$1" "$port" <"$pipe"
  exec 9>&-
  rm "$pipe"
}

reaches() {
  if [ -z "$can_ping" ]; then echo unavailable; elif pings "$1"; then echo ok; else echo lost; fi
}

# The packet is as large as the smaller MTU of the two pods, and must not be cut on the way.
passes_whole() {
  if [ "$tcp" != ok ]; then echo untested && return; fi
  if [ "$(wc -c <"$1/answer")" -le "$bytes" ]; then echo stalled && return; fi
  if [ -z "$can_refuse_fragments" ]; then echo transfer && return; fi
  case $2 in *:*) headers=48 ;; *) headers=28 ;; esac
  if pings "$2" -M 'do' -s $(($(packet_size) - headers)); then echo ok; else echo lost; fi
}

packet_size() {
  if [ "$tcp" = ok ] && [ "$far_mtu" -lt "$mtu" ]; then echo "$far_mtu"; else echo "$mtu"; fi
}

# pings ADDRESS OPTION...: one answer to three questions is enough.
pings() {
  whom=$1
  shift
  for _ in 1 2 3; do
    timeout 5 "$pinger" -c 1 -W 2 "$@" "$whom" >/dev/null 2>&1 && return 0
  done
  return 1
}

pause() { sleep 0.2 2>/dev/null || sleep 1; }

main "$@"
`;
