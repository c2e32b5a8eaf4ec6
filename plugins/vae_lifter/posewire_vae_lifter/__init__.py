"""The VAE lifter: 2D to 3D through a latent space, so that one picture has many possible poses. Training needs torch."""
