"""Procedures on hosts themselves, whatever runs there."""
