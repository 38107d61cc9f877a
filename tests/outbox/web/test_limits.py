"""A network has its measure, and a form says when it was shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.errors import BadSignature, ExpiredLink
from outbox.tokens import Signer
from outbox.web.challenge import Challenge, is_proof, make_challenge, make_lasting_challenge, read_challenge
from outbox.web.limits import KEPT, Limits, network_of
from tests.outbox.web.conftest import Clock

SIGNER = Signer(("a secret of some length",), "letters.example.org")
SHA = sha256(b"words").hexdigest()


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("", "unknown"),
        ("not-an-address", "unknown"),
    ],
)
def test_neighbours_are_one_network(host: str, network: str) -> None:
    """A street of the old addresses, one connection of the new; an old one in new dress is the old one."""
    assert network_of(host) == network


def test_a_bucket_fills_up_again(clock: Clock) -> None:
    """Six an hour are one in ten minutes, once the six are used."""
    limits = Limits(clock, per_network=6, per_hour=0)
    taken = [limits.take("a") for _ in range(7)]
    clock.now += timedelta(minutes=10)

    assert [True] * 6 + [False] == taken
    assert [True, False] == [limits.take("a") for _ in range(2)]


def test_all_networks_together_have_a_limit(clock: Clock) -> None:
    """A thousand machines that sign up one each are one too many."""
    limits = Limits(clock, per_network=5, per_hour=10)

    assert 10 == sum(limits.take(f"n{number}") for number in range(1000))


def test_a_refused_one_costs_nobody_else(clock: Clock) -> None:
    """A network over its limit does not use up what the others may."""
    limits = Limits(clock, per_network=1, per_hour=3)
    for _ in range(10):
        limits.take("a")

    assert [True, True, False] == [limits.take(name) for name in "bcd"]


def test_memory_has_an_end_and_the_busiest_are_remembered(clock: Clock) -> None:
    """Somebody with a million addresses fills no memory, and is not forgiven."""
    limits = Limits(clock, per_network=2, per_hour=0)
    for _ in range(3):
        limits.take("busy")
    for number in range(KEPT + 10):
        limits.take(f"n{number}")

    assert len(limits.buckets) <= KEPT
    assert not limits.take("busy")


def test_a_form_says_what_stood_on_it_and_when(now: datetime) -> None:
    """The token comes back with the form; a day later it is too old."""
    token = make_challenge(SIGNER, SHA, now)

    assert Challenge(SHA[:32], now) == read_challenge(SIGNER, token, now)
    with pytest.raises(ExpiredLink):
        read_challenge(SIGNER, token, now + timedelta(hours=26))


def test_a_pasted_form_has_no_hour(now: datetime) -> None:
    """It stands on somebody's page for years."""
    token = make_lasting_challenge(SIGNER, SHA)

    assert Challenge(SHA[:32], None) == read_challenge(SIGNER, token, now + timedelta(days=10_000))


@given(st.text())
def test_no_token_crashes_the_reader(token: str) -> None:
    """Whatever a robot sends for it."""
    with pytest.raises(BadSignature):
        read_challenge(SIGNER, token, datetime.now().astimezone())


@given(st.text(max_size=60), st.integers(1, 24))
def test_a_proof_is_one_only_by_its_digest(proof: str, bits: int) -> None:
    """Zero bits at the start of the digest, and nothing else."""
    digest = int.from_bytes(sha256(f"token:{proof}".encode()).digest(), "big")

    assert is_proof("token", proof, bits) == (len(proof) <= 40 and digest >> (256 - bits) == 0)
