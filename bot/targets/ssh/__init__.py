"""Machines: looking at them and working on them over SSH, and the in-memory twin."""
