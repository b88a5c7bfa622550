# Carries out a piece of work: setsid sh THIS NEW MARK LIMIT COMMAND...
#
# It outlives the login that started it. NEW is the prepared folder, with stdin; MARK is its place.
trap : HUP INT TERM
new=$1 mark=$2 limit=$3
shift 3
give_up() { rm -rf "$new"; exit 1; }
printf '%s %s %s\n' "$$" "$(sed 's/.*) //' /proc/$$/stat | cut -d' ' -f20)" \
  "$(cat /proc/sys/kernel/random/boot_id)" >"$new/record" || give_up
: >"$new/out" || give_up
exec <"$new/stdin"
rm "$new/stdin"
sync "$new/record" "$new"
mv -T "$new" "$mark" 2>/dev/null || give_up
# Whoever finds no folder after a power failure takes it that nothing was started.
sync "${mark%/*}" "${mark%/*/*}"
cd /
seconds() { cut -d. -f1 /proc/uptime; }
began=$(seconds)
(
  umask 022
  export QUORUMBOT_MARK="$mark"
  exec timeout -k 5 "$limit" "$@"
) >>"$mark/out" 2>&1
status=$?
# Who does not heed TERM is killed, and `timeout` with it.
[ $status != 137 ] || [ $(($(seconds) - began)) -lt "${limit%.*}" ] || status=124
printf '%s\n' "$status" >"$mark/.status"
sync "$mark/.status"
mv "$mark/.status" "$mark/status"
