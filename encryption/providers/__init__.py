"""Key services that hold the root key, behind one interface."""
