"""Rotation of epochs, root versions, data keys and index roots; destruction of epochs."""
