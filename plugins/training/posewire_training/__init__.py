"""What trained lifters share: resumable loop, curves, weights with their settings, random views, ONNX export. Needs torch."""
