"""People in the fields of another package, which runs in a process of its own."""
