"""Partner onboarding, partner clients and OAuth2."""
