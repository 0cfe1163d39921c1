"""Floor 7: what keeps the installation running."""
