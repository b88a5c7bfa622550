"""Procedures for the masters of OpenShift and OKD 3."""
