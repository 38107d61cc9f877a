"""CSS goes into the elements; what only a style element can say stays, in light and dark."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
import tinycss2  # type: ignore[import-untyped]

from pipeline.directions import mirror
from pipeline.layouts import Layout, list_layouts, read_layout
from pipeline.mail.html import Styles, inline, read_styles

CASE = Path(__file__).parents[1] / "manuscripts" / "letter"
PAGE = "<!DOCTYPE html><html><head><title>T</title></head><body>{}</body></html>"
LIGHT = "p { margin: 0; color: #111111; } .box { border-left: 3px solid #222222; background-color: #ffffff; }"
DARK = "p { margin: 0; color: #eeeeee; } .box { border-left: 3px solid #dddddd; background-color: #000000; }"


def letter(body: str, *, css: str = LIGHT, dark: str = DARK, head: str = "") -> str:
    return inline(PAGE.format(body), Styles(css, dark, head))


def styles(markup: str) -> list[str]:
    return re.findall(r"<style>(.*?)</style>", markup, re.DOTALL)


@pytest.fixture(params=list_layouts(CASE))
def layout(request: pytest.FixtureRequest) -> Layout:
    """Every layout there is."""
    return read_layout(request.param, CASE)


def test_a_letter_is_right_without_its_style_elements() -> None:
    """Every declaration stands in the element itself."""
    assert '<p style="margin:0;color:#111111">Hello</p>' in letter("<p>Hello</p>")


def test_dark_mode_is_what_differs() -> None:
    """For programs that ask, and for Outlook, which marks what it repaints; a border by its colour alone."""
    [dark] = styles(letter('<p class="box">Hello</p>'))

    assert (
        "@media (prefers-color-scheme:dark){p{color:#eeeeee!important}"
        ".box{border-left-color:#dddddd!important;background-color:#000000!important}}"
        "[data-ogsc] p{color:#eeeeee!important}[data-ogsb] .box{background-color:#000000!important}" == dark
    )


def test_what_nothing_uses_is_left_out() -> None:
    """Neither rules for absent elements and classes, nor classes without a rule."""
    made = letter(
        '<p class="lead">Hello</p>', head=".lead b { margin: 0 } .box { top: 0 } i, p { text-wrap: balance }"
    )

    assert ["p{text-wrap:balance}"] == styles(made)[:1]
    assert "box" not in made
    assert "class" not in made


def test_a_class_that_a_rule_names_stays() -> None:
    """Else the rule could not find it."""
    assert '<p class="lead" ' in letter('<p class="lead other">Hello</p>', head=".lead:hover { top: 0 }")


def test_media_queries_stay_and_those_for_dark_mode_come_last() -> None:
    """One mistake in the second style element cannot take the first with it (rule M20)."""
    wide = "@media (min-width: 600px) { p { font-size: 20px !important; } }"
    dark = "@media (prefers-color-scheme: dark) { p { opacity: .9; } }"
    first, second = styles(letter("<p>Hello</p>", head=dark + wide))

    assert "@media (min-width:600px){p{font-size:20px!important}}" == first
    assert "p{opacity:.9}}" in second


def test_text_that_looks_like_markup_is_kept() -> None:
    """A listing may say class="..." as well."""
    assert '&lt;p class="x"&gt;' in letter('<code>&lt;p class="x"&gt;</code>')


@pytest.mark.parametrize("field", ["@@unsubscribe_url@@", "https://example.org/?to=@@list_name@@&amp;a=1"])
def test_merge_fields_pass_untouched(field: str) -> None:
    """As a whole address and inside one."""
    assert f'href="{field}"' in letter(f'<p><a href="{field}">@@first_name@@</a></p>')


def test_conditional_comments_pass_untouched() -> None:
    """Outlook's ghost table is in them."""
    comment = '<!--[if mso]><table role="presentation"><tr><td style="padding:32px"><![endif]-->'

    assert comment in letter(f"{comment}<p>Hello</p><!--[if mso]></td></tr></table><![endif]-->")


def test_sides_change_places_from_right_to_left() -> None:
    """In names, in values, and where four sides are given at once."""
    css = "p { padding-left: 2px; text-align: right; margin: 0 1px 2px 3px; padding: 1px 2px }"

    assert "p { padding-right: 2px; text-align: left; margin: 0 3px 2px 1px; padding: 1px 2px }" == mirror(
        css
    )


# -- the CSS of the layouts


def test_m19_head_css_is_small_and_flat(layout: Layout) -> None:
    """A program that finds one mistake drops all of it; Gmail takes 16 KB."""
    golden = (CASE / "golden" / layout.name / "body.html").read_text("utf-8")
    texts = styles(golden)
    rules = [rule for text in texts for rule in tinycss2.parse_stylesheet(text)]
    inside = [tinycss2.parse_blocks_contents(rule.content) for rule in rules if rule.type == "at-rule"]

    assert 2 == len(texts)
    assert sum(map(len, texts)) < 8_000
    assert {"qualified-rule", "at-rule"} == {rule.type for rule in rules}
    assert {"qualified-rule"} == {rule.type for block in inside for rule in block}


def test_m22_every_colour_has_a_dark_one(layout: Layout) -> None:
    """mail.css names tokens, and every token it names is another in the dark."""
    looks = read_styles(layout, "ltr")
    light, dark = (re.findall(r"#[0-9a-f]{6}", css) for css in (looks.light, looks.dark))
    pairs = list(zip(light, dark, strict=True))

    assert len(pairs) > 20
    assert [] == [pair for pair in pairs if pair[0] == pair[1]]


TEXT = [*product(["ink", "heading", "muted", "link"], ["paper", "ground"]), ("accent", "paper")]
BOXES = list(product(["ink", "heading", "link"], ["tint", "warm-tint"]))
TITLES = [("accent", "tint"), ("warm", "warm-tint")]
OPENING = [("opening-ink", "opening"), ("opening-soft", "opening"), ("button-text", "button")]


@pytest.mark.parametrize("mode", ["", "dark-"])
@pytest.mark.parametrize(("front", "back"), TEXT + BOXES + TITLES + OPENING)
def test_m23_contrast(layout: Layout, mode: str, front: str, back: str) -> None:
    """At least 4.5 to 1, in light and dark (WCAG 2.2, 1.4.3)."""
    assert contrast(layout.tokens[mode + front], layout.tokens[mode + back]) >= 4.5


@pytest.mark.parametrize(("front", "back"), TEXT + BOXES + TITLES + OPENING)
def test_m23_contrast_where_a_program_inverts(layout: Layout, front: str, back: str) -> None:
    """Gmail makes a dark letter of its own: then each colour is about its opposite."""
    assert contrast(invert(layout.tokens[front]), invert(layout.tokens[back])) >= 4.5


def test_no_colour_is_pure_black_or_white(layout: Layout) -> None:
    """A program that darkens a letter turns those into their opposites, and leaves the others about alone."""
    styles = read_styles(layout, "ltr")

    assert [] == re.findall(r"#000000|#ffffff|#000\b|#fff\b", styles.light + styles.dark + styles.head)


def invert(colour: str) -> str:
    return f"#{0xFFFFFF - int(colour[1:], 16):06x}"


def contrast(one: str, other: str) -> float:
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_contrast_judge_bites(layout: Layout) -> None:
    """Grey on white is found."""
    grey = replace(layout, tokens={**layout.tokens, "ink": "#999999", "paper": "#ffffff"})

    assert contrast(grey.tokens["ink"], grey.tokens["paper"]) < 4.5
    assert 21 == round(contrast("#000000", "#ffffff"))


def test_m47_lining_figures_come_before_georgia(layout: Layout) -> None:
    """Old-style figures make PD-L1 and [1] look like letters."""
    families = [name.strip(" '\"") for name in layout.tokens["font-mail-text"].split(",")]

    assert "Georgia" != families[0]


def test_m48_classes_and_rules_need_each_other(layout: Layout) -> None:
    """No class in the body without a rule in the head, and none the other way round."""
    golden = (CASE / "golden" / layout.name / "body.html").read_text("utf-8")
    head = " ".join(styles(golden))
    named = {
        name for selector in re.findall(r"([^{}]+)\{", head) for name in re.findall(r"\.([a-z-]+)", selector)
    }
    tags = re.findall(r'<[a-z0-9]+ [^<>]*?class="([^"]*)"', golden)

    assert named == {name for names in tags for name in names.split()}
