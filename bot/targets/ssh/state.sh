# The folder that Quorumbot keeps on a machine, after head.sh.

own_state() {
  problem=$(mkdir -p "$state/runs" "$state/files" "$state/wrapper" 2>&1) || end failed "$problem"
  { [ ! -L "$state" ] && [ -O "$state" ]; } || end failed "$state belongs to somebody else"
  chmod 700 "$state"
}
