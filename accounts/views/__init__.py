"""Pages about people: sign-in, enrolment, profile, sessions, members, set-up."""
