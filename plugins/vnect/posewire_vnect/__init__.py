"""VNect: one person's 2D and 3D from one picture, read from location maps. Networks, training, live use."""
