"""A TRON gateway daemon: JSON-RPC on a Unix socket, keys inside, nothing paid twice."""
