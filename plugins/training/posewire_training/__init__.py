"""What trained lifters share: resumable loop, curves, weights with their settings, random views, ONNX export. Needs torch."""

from posewire import __version__ as __version__  # posewire first: it switches off what onnxruntime reports to its maker
