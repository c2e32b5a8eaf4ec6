"""The three teachers: each a Task of posewire_training, fed with pairs of 2D views and nothing else."""
