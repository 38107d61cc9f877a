"""The preview: one chapter in every output, in a browser, made anew at each save."""
