# The beginning of what Quorumbot runs on a machine: sh SCRIPT NONCE STATE VERB ARGUMENT...
#
# It marks where its own output begins with a line NONCE on stdout and stderr: what comes before is
# the login's. Answers are lines "NONCE WORD ..." on stderr.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
umask 077
nonce=$1 state=$2 verb=$3
shift 3
printf '%s\n' "$nonce"
printf '%s\n' "$nonce" >&2

say() { printf '%s %s\n' "$nonce" "$*" >&2; }
end() { say "$@"; exit 3; }
boot() { cat /proc/sys/kernel/random/boot_id; }
