"""The demonstration: made-up people, their secrets on a page of their own, and the mail sent."""
