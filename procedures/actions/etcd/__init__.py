"""Steps on etcd clusters."""
