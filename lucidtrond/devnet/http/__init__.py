"""java-tron's HTTP face of the embedded chain."""
