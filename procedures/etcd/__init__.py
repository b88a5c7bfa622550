"""Procedures on etcd clusters."""
