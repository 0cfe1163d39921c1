"""Key services: one module each, named by the setting KEY_SERVICE."""
