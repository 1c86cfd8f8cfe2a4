"""How like a subject the pictures of it are, how varied, how far copied, and whether they obey."""
