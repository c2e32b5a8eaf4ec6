"""The live half of every trained lifter: a person's 2D history to network input, and the answer back to camera axes. No torch."""
