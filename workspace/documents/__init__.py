"""Documents, folders and share links."""
