"""What there is of a testbed on this machine, by its name."""

from pathlib import Path

from tests.testbed.shell import attempt


def traces(name: str) -> list[str]:
    """All that carries a testbed's name, outside its folder and in it."""
    places = [
        Path("/run/netns"),
        Path("/run/quorumbot-testbeds"),
        Path("/run/systemd/nspawn/propagate"),
        Path("/run/systemd/nspawn/unix-export"),
        *Path("/sys/fs/cgroup").glob("*"),
        Path("/sys/fs/cgroup"),
    ]
    found = [str(path) for place in places for path in place.glob(f"{name}*")]
    found += [line for line in Path("/proc/self/mounts").read_text().splitlines() if name in line]
    found += [
        line for line in attempt(["ps", "axww", "-o", "args="]).output.split("\n") if name in line
    ]
    found += [line for line in attempt(["losetup", "--list"]).output.splitlines() if name in line]
    return found
