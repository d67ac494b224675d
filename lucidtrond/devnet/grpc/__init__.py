"""The services of a node that speak gRPC."""
