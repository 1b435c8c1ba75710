// What runs in a probe pod: a POSIX shell program that listens, or asks other probe pods, with nc and ping and no privilege.

/** Ports that probe pods listen on, for greetings and for transfers; above 1024, so that they need no privilege. */
const ports = { greeting: 18157, transfer: 18158 } as const;

/** Bytes that go each way over a connection: several full-size segments, and less than a pipe holds. */
const transferBytes = 32_768;

/**
 * `sh -c <this> probe listen` or `ask`.
 *
 * Environment: PROBE_RUN (names the run, so that nobody else's pod is mistaken for one), PROBE_ADDRESS (own address),
 * PROBE_FOLDER (writable), and for `ask` PROBE_TARGETS (`<number> <address>` a line) and PROBE_PATIENCE (seconds to try again while a
 * target refuses, because it is busy with another one).
 *
 * Who asks sends a line of greeting. Who listens answers with one line: its MTU, and for each open connection `local=remote` as the
 * kernel writes addresses in /proc/net/tcp. That shows that connections work, and which source address arrives. On the port for
 * transfers the greeting is followed by 32 KiB, and so is the answer to it: full segments pass both ways. A transfer that stalls
 * keeps its port busy, and nothing else.
 *
 * Prints for each target `<number> tcp=<word> ping=<word> full=<word> size=<bytes> seen=<local=remote,...>`.
 */
export const probeScript = String.raw`
greeting_port=${ports.greeting}
transfer_port=${ports.transfer}
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

listen() {
  options=$(listen_options)
  serve "$greeting_port" greet &
  serve "$transfer_port" take
}

# serve PORT ANSWER: one connection after the other. Whoever comes meanwhile is refused, and comes again.
serve() {
  while :; do
    rm -f "pipe.$1"
    mkfifo "pipe.$1"
    # shellcheck disable=SC2086,SC2094 # several options; the pipe has two ends
    timeout 6 nc $options -l -p "$1" <"pipe.$1" | { "$2" || pause; } >"pipe.$1"
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

greet() { expected_greeting && echo "isthmus $mtu $(peers)"; }

take() { expected_greeting && [ "$(head -c "$bytes" | wc -c)" -eq "$bytes" ] && head -c "$bytes" /dev/zero; }

expected_greeting() { read -r greeting && [ "$greeting" = "isthmus $PROBE_RUN" ]; }

# Open connections of greetings, and those that the other side has closed already.
peers() {
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$(printf '%04X' "$greeting_port")" '
    { split($2, local, ":"); split($3, remote, ":") }
    local[2] == port && ($4 == "01" || $4 == "08") { list = list "," local[1] "=" remote[1] }
    END { print substr(list, 2) }'
}

ask() {
  echo "isthmus $PROBE_RUN" >greeting
  { cat greeting && head -c "$bytes" /dev/zero; } >transfer
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

# Runs in a process of its own, so these variables are those of one target.
probe() {
  folder=$1
  address=$2
  mkdir "$folder"
  tcp=$(greeted)
  read -r _ far_mtu seen 2>/dev/null <"$folder/greeting"
  size=$(packet_size)
  ping=$(pinged)
  full=$(passed_whole)
  echo "$1 tcp=$tcp ping=$ping full=$full size=$size seen=$seen"
}

greeted() {
  exchange greeting "$greeting_port" 1 3
  case $(cat "$folder/greeting") in 'isthmus '*) echo ok ;; *) why ;; esac
}

why() {
  case $(cat "$folder/error") in
    *refused*) echo refused ;;
    *nreachable* | *'o route'*) echo unreachable ;;
    *) echo silent ;;
  esac
}

# exchange WHAT PORT BYTES TIMES: sends the file and keeps the answer, of so many bytes or more. Tries again while somebody refuses,
# until the patience is over, and so many times while nobody answers.
exchange() {
  end=$(($(date +%s) + PROBE_PATIENCE))
  silent=0
  : >"$folder/error"
  while :; do
    start=$(date +%s)
    connect "$2" <"$1" >"$folder/$1" 2>>"$folder/error"
    [ "$(wc -c <"$folder/$1")" -lt "$3" ] || break
    [ $(($(date +%s) - start)) -lt 4 ] || silent=$((silent + 1))
    if [ "$silent" -ge "$4" ] || [ "$(date +%s)" -ge "$end" ]; then break; fi
    pause
  done
}

# Others than these two take the end of their input for the end of the connection, so their input stays open.
connect() {
  case $help in
    *-N*) timeout 5 nc -v "$address" "$1" ;;
    *-q*) timeout 5 nc "$address" "$1" ;;
    *) connect_open "$1" ;;
  esac
}

connect_open() {
  rm -f "$folder/input"
  mkfifo "$folder/input"
  exec 9<>"$folder/input"
  cat >&9
  timeout 5 nc "$address" "$1" <"$folder/input"
  exec 9>&-
}

pinged() {
  if [ -z "$can_ping" ]; then echo unavailable; elif pings "$address"; then echo ok; else echo lost; fi
}

# A packet as large as the smaller MTU of the two pods, which must not be cut on the way; then a transfer.
passed_whole() {
  if [ "$tcp" != ok ]; then echo untested && return; fi
  if [ -n "$can_refuse_fragments" ] && ! pings "$address" -M 'do' -s $((size - $(header_size))); then echo lost && return; fi
  exchange transfer "$transfer_port" "$bytes" 2
  if [ "$(wc -c <"$folder/transfer")" -lt "$bytes" ]; then
    if [ "$(why)" = refused ]; then echo busy; else echo stalled; fi
  elif [ -n "$can_refuse_fragments" ]; then
    echo ok
  else
    echo transfer
  fi
}

header_size() { case $address in *:*) echo 48 ;; *) echo 28 ;; esac }

packet_size() {
  if [ "$tcp" = ok ] && [ "$far_mtu" -lt "$mtu" ]; then echo "$far_mtu"; else echo "$mtu"; fi
}

# pings ADDRESS OPTION...: one answer to three questions is enough.
pings() {
  whom=$1
  shift
  for _ in 1 2 3; do
    timeout 5 "$pinger" -c 1 -W 1 "$@" "$whom" >/dev/null 2>&1 && return 0
  done
  return 1
}

pause() { sleep 0.2 2>/dev/null || sleep 1; }

main "$@"
`;
