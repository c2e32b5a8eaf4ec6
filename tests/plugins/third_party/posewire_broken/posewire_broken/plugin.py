"""Imports what nobody installed, as a plugin does whose pyproject forgot a dependency."""

import a_library_that_nobody_installed

from posewire.hookspecs import hookimpl


@hookimpl
def posewire_methods():
    """Is never called."""
    return a_library_that_nobody_installed.cards()
