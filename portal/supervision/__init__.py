"""The supervisor behind ``manage.py serve``: starts everything, in order, and ends all of it.

It runs before and without Django, so it stays small and one broken app cannot take it down.
"""
