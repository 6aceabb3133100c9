"""The fictional city with its dirt, and the public Chicago data: input for tests and demonstrations."""
