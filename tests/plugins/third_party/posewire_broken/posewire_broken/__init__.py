"""A plugin whose author forgot a dependency."""
