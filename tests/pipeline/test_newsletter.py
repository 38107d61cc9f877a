"""Chapters, issues and letters of a manuscript become folders; what is gone from it leaves them too."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pipeline.build import choose_editions, make_edition, open_manuscript
from pipeline.errors import ConfigError, ManyErrors, PipelineError
from pipeline.formats.issue import Issue
from pipeline.newsletter import make_issues, write_issues

BOOK_TOML = """\
[book]
title = "Small"
authors = ["Ana Ruiz"]
cover = "none"

[newsletter]
site = "https://letters.example.org/"
time_zone = "Europe/Berlin"
"""
SLEEP = """\
---
title: Sleep
summary: Six things.
---

Nobody sleeps.^[A note.]

## Evening

The lamp.^[Another.]
"""
WINTER = "---\ntitle: Winter\n---\n\nSnow.^[On snow.]\n\n<!-- more -->\n\nIce.\n"
Writer = Callable[..., Path]


@pytest.fixture
def make(manuscript: Writer) -> Callable[..., Mapping[str, Issue]]:
    """Make all the mail of these files, named as in the chapters' folder."""

    def make_all(files: Mapping[str, str], toml: str = BOOK_TOML) -> Mapping[str, Issue]:
        folder = manuscript(files, toml=toml)
        return {issue.slug: issue for issue in make_issues(open_manuscript(folder))}

    return make_all


def read_text(issue: Issue) -> str:
    return issue.files["body.txt"].decode()


def read_document(issue: Issue) -> dict[str, object]:
    document: dict[str, object] = json.loads(issue.files["issue.json"])
    return document


# -- what goes out


def test_a_chapter_goes_out_when_its_header_says_so(make: Callable[..., Mapping[str, Issue]]) -> None:
    """At the hour of book.toml, in its time zone; a chapter without `issue:` stays in the book."""
    sent = SLEEP.replace("summary", "issue: 2026-07-01\nsummary")
    made = make({"01-sleep.md": sent, "02-winter.md": WINTER})

    assert ["2026-07-01-sleep"] == [*made]
    assert "2026-07-01T09:00:00+02:00" == read_document(made["2026-07-01-sleep"])["send_at"]


def test_an_issue_may_have_several_subjects(make: Callable[..., Mapping[str, Issue]]) -> None:
    """issue.json has all of them and the first where there is room for one; an issue with one is as ever."""
    header = "issue: {date: 2026-07-01, subjects: [Sleep again, '@@first_name@@, sleep']}\nsummary"
    made = make({"01-sleep.md": SLEEP.replace("summary", header), "issues/2026-07-02-x.md": "# X\n\nY.\n"})
    told = read_document(made["2026-07-01-sleep"])

    assert ("Sleep again", ["Sleep again", "@@first_name@@, sleep"]) == (told["subject"], told["subjects"])
    assert "first_name" in told["fields"]  # type: ignore[operator]
    assert "subjects" not in read_document(made["2026-07-02-x"])


def test_a_file_of_issues_has_its_day_in_its_name_or_header(make: Callable[..., Mapping[str, Issue]]) -> None:
    """Both give the same kind of issue; a letter has no day."""
    made = make({
        "01-sleep.md": SLEEP,
        "issues/2026-03-01-spring.md": "# Spring\n\nIt is here.\n",
        "issues/autumn.md": "---\ntitle: Autumn\nissue: 2026-10-01\n---\n\nLeaves.\n",
        "letters/welcome.md": "# Welcome\n\nGood that you came.\n",
    })  # fmt: skip

    assert {"2026-03-01-spring": "issue", "2026-10-01-autumn": "issue", "welcome": "letter"} == {
        name: issue.kind for name, issue in made.items()
    }
    assert read_document(made["welcome"])["send_at"] is None


def test_the_letters_that_are_no_subscription_offer_nothing_to_leave(
    make: Callable[..., Mapping[str, Issue]],
) -> None:
    """Whoever has not confirmed is on no list yet; whoever left is on none any more."""
    made = make({
        "01-sleep.md": SLEEP,
        "letters/confirm.md": "# Confirm\n\nPlease [say yes](@@confirm_url@@).\n",
        "letters/reminder.md": "# Once more\n\nPlease [say yes](@@confirm_url@@).\n",
        "letters/goodbye.md": "# Goodbye\n\nFare well.\n",
        "letters/welcome.md": "# Welcome\n\nGood that you came.\n",
    })  # fmt: skip
    fields = {name: set(read_document(issue)["fields"]) for name, issue in made.items()}  # type: ignore[call-overload]

    assert {"confirm_url", "list_name", "postal_address"} == fields["confirm"] == fields["reminder"]
    assert "at most one reminder will follow" in read_text(made["confirm"])
    assert "you will hear no more from us" in read_text(made["reminder"])
    assert {"list_name", "postal_address"} == fields["goodbye"]
    assert {"list_name", "postal_address", "preferences_url", "unsubscribe_url"} == fields["welcome"]


# -- chapters in an issue


def test_a_digest_gathers_notes_of_all_its_chapters(make: Callable[..., Mapping[str, Issue]]) -> None:
    """They are counted once through the letter, in the order in which they are met."""
    digest = "# Two\n\nFirst.^[Mine.]\n\n::: chapter sleep show=full\n:::\n\n::: chapter winter show=opening\n:::\n"
    made = make({"01-sleep.md": SLEEP, "02-winter.md": WINTER, "issues/2026-03-01-two.md": digest})
    text = read_text(made["2026-03-01-two"])
    notes = text.split("Notes\n-----\n")[1].split("\n---\n")[0].strip().splitlines()

    assert ["[1] Mine.", "[2] A note.", "[3] Another.", "[4] On snow."] == [line for line in notes if line]
    assert "Ice" not in text
    assert "https://letters.example.org/read/winter/" in text
    assert "/read/sleep/" not in text
    assert [("Sleep", 5), ("Winter", 1)] == [
        (item.title, item.words) for item in made["2026-03-01-two"].taken.items
    ]


def test_headings_of_a_chapter_stand_below_its_title(make: Callable[..., Mapping[str, Issue]]) -> None:
    """The letter has one title, each chapter a heading of the second level, its sections of the third."""
    made = make({
        "01-sleep.md": SLEEP, "issues/2026-03-01-one.md": "# One\n\n::: chapter sleep show=full\n:::\n"
    })  # fmt: skip
    html = made["2026-03-01-one"].files["body.html"].decode()

    assert html.index("<h1") < html.index(">Sleep</h2>") < html.index(">Evening</h3>")


def test_one_chapter_alone_has_a_button_several_have_links(make: Callable[..., Mapping[str, Issue]]) -> None:
    """A letter with many buttons has none that matters (rule M52)."""
    one, two = "::: chapter sleep\n:::\n", "::: chapter winter show=opening\n:::\n"
    made = make({
        "01-sleep.md": SLEEP, "02-winter.md": WINTER,
        "issues/2026-03-01-one.md": f"# One\n\n{one}", "issues/2026-03-02-two.md": f"# Two\n\n{one}\n{two}",
    })  # fmt: skip
    buttons = {
        name: sum(
            "button" in node.attrs.get("class", "") for block in issue.taken.body for node in block.walk()
        )
        for name, issue in made.items()
    }

    assert {"2026-03-01-one": 1, "2026-03-02-two": 0} == buttons


def test_a_reference_to_what_a_part_leaves_out_says_where_it_is(
    make: Callable[..., Mapping[str, Issue]],
) -> None:
    """An opening that speaks of a later section names the chapter, which the reader does not have."""
    text = "---\ntitle: Sleep\nissue: {date: 2026-03-01, show: opening}\n---\n\nSee @sec:evening.\n\n## Evening\n"
    made = make({"01-sleep.md": text})

    assert "See “Evening” in the chapter “Sleep”." in read_text(made["2026-03-01-sleep"])


def test_figures_of_a_letter_are_counted_for_itself(manuscript: Writer) -> None:
    """Figure 2 of the book is the only one of its letter, in the caption and where the text speaks of it."""
    art = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 6 4" width="6" height="4"/>'
    figure = '![A bed.](bed.svg "The bed."){#fig:%s}\n'
    folder = manuscript(
        {
            "01-a.md": f"# A\n\n{figure % 'one'}",
            "02-b.md": f"---\ntitle: B\nissue: 2026-03-01\n---\n\nSee @fig:two and @fig:one.\n\n{figure % 'two'}",
        },
        files={"chapters/bed.svg": art},
    )
    (issue,) = make_issues(open_manuscript(folder))

    assert "See Figure 1 and Figure 1 of the full book." in read_text(issue)
    assert "Figure 1. The bed." in read_text(issue)


# -- conditions


def test_each_output_has_its_own_passages(manuscript: Writer) -> None:
    """A letter greets, a book does not; a segment's words stand in its issue alone, and notes are counted anew."""
    chapter = (
        "---\ntitle: Sleep\nissue: {date: 2026-03-01, segment: carers}\n---\n\n"
        "::: only output=email\nDear @@first_name@@.^[Mail.]\n:::\n\n"
        "::: only output=book\nTurn the page.^[Book.]\n:::\n\n"
        "::: only segment=carers\nYou who care.\n:::\n\n"
        "::: only segment=patients,friends\nYou who are ill.\n:::\n\n"
        "::: only edition=full output=email\nThe whole.\n:::\n\nAll.^[Last.]\n"
    )
    folder = manuscript({"01-sleep.md": chapter}, toml=BOOK_TOML)
    opened = open_manuscript(folder)
    (issue,) = make_issues(opened)
    (epub,) = make_edition(opened, choose_editions(opened.config)[0], formats=["epub"])
    mail, book = read_text(issue), open_epub(epub.files)

    assert "Dear @@first_name@@.[1]" in mail
    assert "All.[2]" in mail
    assert ["You who care.", "The whole."] == [said for said in SAID if said in mail]
    assert ["Turn the page."] == [said for said in SAID if said in book]
    assert "@@" not in book


SAID = ("Turn the page.", "You who care.", "You who are ill.", "The whole.")


def open_epub(files: Mapping[str, bytes]) -> str:
    """All the text of an EPUB."""
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(next(iter(files.values())))) as archive:
        names = [name for name in archive.namelist() if name.endswith(".xhtml")]
        return "".join(archive.read(name).decode() for name in names)


# -- what an author must mend

FAULTS: dict[str, tuple[Mapping[str, str], str]] = {
    "no day": ({"issues/spring.md": "# Spring\n\nHere.\n"}, "issues/spring.md:1: has no date"),
    "a day that is none": ({"issues/2026-02-31-x.md": "# X\n\nY.\n"}, "a day that is none: 2026-02-31"),
    "a letter with a day": (
        {"letters/welcome.md": "---\ntitle: W\nissue: 2026-01-01\n---\n\nX.\n"},
        "it has no date",
    ),
    "a kind": ({"letters/welcome.md": "---\ntitle: W\nkind: part\n---\n\nX.\n"}, "kind: has no place here"),
    "an unknown chapter": (
        {"issues/2026-03-01-x.md": "# X\n\n::: chapter slep\n:::\n"},
        "x.md:3: there is no chapter 'slep'; did you mean 'sleep'?",
    ),
    "a chapter without summary": (
        {"issues/2026-03-01-x.md": "# X\n\n::: chapter winter\n:::\n"},
        "02-winter.md:1: is shown by its summary, and has none",
    ),
    "nothing that ends the opening": (
        {"03-x.md": "---\ntitle: X\nissue: {date: 2026-03-01, show: opening}\n---\n\nY.\n"},
        "03-x.md:2: is shown by its opening, and nothing ends it",
    ),
    "an unknown field": (
        {"issues/2026-03-01-x.md": "# X\n\nDear @@firstname@@.\n"},
        "x.md:3: unknown field @@firstname@@",
    ),
    "an unknown key": (
        {"03-x.md": "---\ntitle: X\nissue:\n  date: 2026-03-01\n  sujet: Y\n---\n\nZ.\n"},
        "03-x.md:5: issue has no key 'sujet'; did you mean 'subject'?",
    ),
    "one subject to compare": (
        {"03-x.md": "---\ntitle: X\nissue: {date: 2026-03-01, subjects: [One]}\n---\n\nZ.\n"},
        "subjects are two to 5 different ones",
    ),
    "subjects twice": (
        {"03-x.md": "---\ntitle: X\nissue: {date: 2026-03-01, subject: A, subjects: [A, B]}\n---\n\nZ.\n"},
        "issue has subject and subjects; write one of them",
    ),
    "no such hour": ({"03-x.md": "---\ntitle: X\nissue: 2026-03-01 25:00\n---\n\nZ.\n"}, "issue is no date"),
    "a name taken": (
        {
            "issues/2026-03-01-x.md": "# X\n\nY.\n",
            "03-x.md": "---\ntitle: X\nissue: 2026-03-01\n---\n\nZ.\n",
        },
        "issue 2026-03-01-x is made of chapters/03-x.md already",
    ),
    "a chapter in a chapter": (
        {"03-x.md": "---\ntitle: X\nissue: 2026-03-01\n---\n\n::: chapter sleep\n:::\n"},
        "03-x.md:6: '::: chapter' belongs into an issue",
    ),
    "a marker in a list": (
        {"03-x.md": "---\ntitle: X\n---\n\n- a\n\n  <!-- more -->\n"},
        "03-x.md:7: <!-- more --> stands between paragraphs",
    ),
    "a condition nobody knows": (
        {"03-x.md": "# X\n\n::: only output=paper\nY.\n:::\n"},
        "output= knows no 'paper'",
    ),
    "no condition": ({"03-x.md": "# X\n\n::: only\nY.\n:::\n"}, "'::: only' says for what it is by pairs"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_sent_is_told_with_its_line(
    make: Callable[..., Mapping[str, Issue]], fault: str
) -> None:
    """What is wrong, where, and what to do."""
    files, says = FAULTS[fault]

    with pytest.raises((PipelineError, ManyErrors)) as caught:
        make({"01-sleep.md": SLEEP, "02-winter.md": WINTER, **files})
    assert says in str(caught.value)


def test_a_part_needs_an_address_to_read_on(make: Callable[..., Mapping[str, Issue]]) -> None:
    """Without a site there is nowhere the rest could be."""
    text = "---\ntitle: X\nissue: {date: 2026-03-01, show: opening}\n---\n\nY.\n\n## Z\n\nW.\n"

    with pytest.raises(PipelineError, match=r"write \[newsletter\] site in book\.toml"):
        make({"01-x.md": text}, toml=BOOK_TOML.replace("site = ", "# site = "))


def test_a_book_that_would_print_a_field_is_stopped(manuscript: Writer) -> None:
    """Nobody is called @@first_name@@ (rule M017)."""
    opened = open_manuscript(manuscript("# X\n\nDear @@first_name@@,\n", toml=BOOK_TOML))

    with pytest.raises(PipelineError, match=r"01-one\.md:3: @@first_name@@ is filled in letters alone"):
        make_edition(opened, choose_editions(opened.config)[0], formats=["epub"])


def test_one_issue_can_be_made_by_its_name_or_its_chapter(manuscript: Writer) -> None:
    """A name that is not there is told with the nearest."""
    sent = SLEEP.replace("summary", "issue: 2026-07-01\nsummary")
    opened = open_manuscript(manuscript({"01-sleep.md": sent}, toml=BOOK_TOML))

    assert make_issues(opened, only="sleep") == make_issues(opened, only="2026-07-01-sleep")
    with pytest.raises(ConfigError, match="no issue or letter is called 'slep'; did you mean 'sleep'"):
        make_issues(opened, only="slep")


# -- the folders


def test_an_issue_that_is_made_no_more_is_taken_away(manuscript: Writer, tmp_path: Path) -> None:
    """It must not be sent by mistake; what somebody else put there stays."""
    sent = SLEEP.replace("summary", "issue: 2026-07-01\nsummary")
    build = tmp_path / "build"
    write_issues(build, make_issues(open_manuscript(manuscript({"01-sleep.md": sent}))), all_of_them=True)
    (build / "issues" / "2026-01-01-from-elsewhere").mkdir()
    later = sent.replace("2026-07-01", "2026-07-02")
    write_issues(build, make_issues(open_manuscript(manuscript({"01-sleep.md": later}))), all_of_them=True)

    assert ["2026-01-01-from-elsewhere", "2026-07-02-sleep"] == sorted(
        path.name for path in (build / "issues").glob("[!.]*")
    )


def test_making_one_leaves_the_others(manuscript: Writer, tmp_path: Path) -> None:
    """`--issue` is for a look at one."""
    files = {
        "01-sleep.md": SLEEP,
        "issues/2026-03-01-a.md": "# A\n\nX.\n",
        "issues/2026-03-02-b.md": "# B\n\nY.\n",
    }
    opened = open_manuscript(manuscript(files, toml=BOOK_TOML))
    write_issues(tmp_path / "build", make_issues(opened), all_of_them=True)
    write_issues(tmp_path / "build", make_issues(opened, only="2026-03-01-a"))

    assert 2 == len([*(tmp_path / "build" / "issues").glob("[!.]*")])
