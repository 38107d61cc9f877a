"""Measure contrast, and turn colours as a mail program does that makes a light letter dark by itself."""

from __future__ import annotations

import colorsys

#: Red, green and blue, from 0 to 1.
Colour = tuple[float, float, float]

WHITE: Colour = (1.0, 1.0, 1.0)
BLACK: Colour = (0.0, 0.0, 0.0)
#: The least for text of any size (WCAG 2.2, success criterion 1.4.3; mail rule M23).
ENOUGH = 4.5


def measure_contrast(one: Colour, other: Colour) -> float:
    """The contrast ratio of WCAG 2.2, from 1 (the same) to 21 (black on white)."""
    darker, lighter = sorted((_measure_light(one), _measure_light(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _measure_light(colour: Colour) -> float:
    """Relative luminance as WCAG defines it, from sRGB."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def invert(colour: Colour) -> Colour:
    """The colour with its lightness L of HSL made 1 - L, hue and saturation kept.

    A stand-in for programs that darken letters by themselves, such as Gmail's apps: none of them
    publishes its formula, and all of them keep the hue and turn light into dark.
    """
    hue, lightness, saturation = colorsys.rgb_to_hls(*colour)
    return colorsys.hls_to_rgb(hue, 1 - lightness, saturation)


def mix(colour: Colour, opacity: float, ground: Colour) -> Colour:
    """`colour` laid over `ground`."""
    red, green, blue = (
        over * opacity + under * (1 - opacity) for over, under in zip(colour, ground, strict=True)
    )
    return red, green, blue
