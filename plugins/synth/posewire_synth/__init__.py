"""Training images that we own: dressed parametric people, rendered fast, with every label. See docs/SYNTH.md.

`studio.Studio` renders batches, `dataset` feeds a training loop, `real_people` mixes in cut-outs, `blender` renders fine ones.
Importing this package imports nothing heavy; its modules need torch (`pip install 'posewire[train]'`).
"""
