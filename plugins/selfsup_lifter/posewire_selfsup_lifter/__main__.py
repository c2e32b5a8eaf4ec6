"""`python -m posewire_selfsup_lifter COMMAND`: project, footage, train, export, evaluate. docs/SELFSUP.md shows a whole run."""

from __future__ import annotations

import sys

from posewire_selfsup_lifter.commands import main

sys.exit(main())
