"""The devnet's chain: state, and what transactions make of it. Pure."""
