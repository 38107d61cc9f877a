"""Five invented people, so that a fresh clone can deliver something."""
