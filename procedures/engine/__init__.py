"""Carries procedures out, over the protocols in `ports`."""
