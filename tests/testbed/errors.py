"""What can go wrong with a testbed."""


class BedError(Exception):
    """Something could not be made, or a command failed; the message has its own words."""
