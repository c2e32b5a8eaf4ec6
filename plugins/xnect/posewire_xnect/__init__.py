"""XNect: many people from one picture, at nearly the cost of one. Networks and their maths; no weights yet."""
