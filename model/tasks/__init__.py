"""Text generators, one module per family of tasks. Every sentence in here was written for this project."""
