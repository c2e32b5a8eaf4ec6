"""`python -m posewire`, for where the script is not on the PATH."""

from posewire.cli import main

raise SystemExit(main())
