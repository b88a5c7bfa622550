"""etcd: gRPC, TLS handshakes and metrics, each call with its own deadline."""
