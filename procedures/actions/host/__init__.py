"""Steps on machines."""
