"""Proofs of area encryption on the really running portal and on real dumps."""
