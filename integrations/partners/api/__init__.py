"""API of the partners: onboardings and clients."""
