"""Typed registries through which upper floors contribute to lower ones."""
