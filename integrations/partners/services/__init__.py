"""Every write of the partners' way in."""
