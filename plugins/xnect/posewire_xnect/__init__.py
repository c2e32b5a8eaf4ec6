"""XNect: many people from one picture, at nearly the cost of one. The method, its networks and their training."""
