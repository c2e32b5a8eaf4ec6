"""Training images that we own: dressed parametric people, rendered fast, with every label. See docs/SYNTH.md.

`studio.Studio` renders batches, `dataset` feeds a training loop, `compositing` also takes cut-outs of real people. Importing this
package imports nothing heavy; its modules need torch (`pip install 'posewire[train]'`).
"""
