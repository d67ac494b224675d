"""Keys inside: encrypted at rest, unlocked in memory, never shown."""
