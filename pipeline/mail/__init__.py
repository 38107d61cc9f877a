"""The parts of a letter: what it takes from the book, how it is written, and its pictures."""
