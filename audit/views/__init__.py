"""Pages of journal, own history and alerts."""
