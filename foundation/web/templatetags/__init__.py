"""Template tags of the web part."""
