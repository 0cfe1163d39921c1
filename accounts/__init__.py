"""Floor 4: people, organisations, memberships, roles, sign-in and sessions."""
