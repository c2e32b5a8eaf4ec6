"""A third-party plugin for Posewire."""
