"""Motion data and virtual cameras for training and testing lifters: numpy and scipy only, no torch. See docs/DATA.md."""
