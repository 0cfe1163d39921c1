"""Customer and partner records with sealed fields."""
