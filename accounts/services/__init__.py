"""Every write about people, organisations, memberships, roles and sessions."""
