"""SQLite behind two calls: write durably, read a snapshot."""
