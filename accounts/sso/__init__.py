"""Single sign-on per organisation."""
