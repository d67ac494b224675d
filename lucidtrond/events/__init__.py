"""What happened, in order: an outbox in the database, and its fan-out."""
