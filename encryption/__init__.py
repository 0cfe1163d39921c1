"""Floor 2: key store, envelope encryption and sealed fields."""
