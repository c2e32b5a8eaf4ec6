"""One file per residual of the energy. Each adds its weights to the sums of inertia.py or to the diagonal; it returns its energy.

To add one: a file here with `add(...)`, its data in targets.Targets, its line in solver.measure, its name in TERMS, its
numpy twin in tests/fit/dense.py and a page in docs/FIT.md.
"""

TERMS = ("position", "reprojection", "smoothness", "depth", "limits", "rest", "damping", "contact")
"""Names of the terms in the order of Workspace.energies."""
