"""A lifter that never sees a 3D label: views of one person teach each other (docs/SELFSUP.md)."""
