"""Floor 1: what has no business meaning and serves every other floor."""
