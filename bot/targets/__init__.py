"""Adapters to the systems that procedures look at."""
