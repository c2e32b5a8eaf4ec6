"""A plugin that brings a name which is taken."""
