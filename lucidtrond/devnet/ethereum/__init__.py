"""The node's JSON-RPC in Ethereum's words (/jsonrpc), as far as recordings show it."""
