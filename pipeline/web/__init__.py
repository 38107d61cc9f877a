"""The parts of the site: its pages, how text is written for the web and for feeds, and the style sheet."""
