"""docs/WIRE.md names exactly the keys and limits that the code has."""

from __future__ import annotations

import re
from pathlib import Path

import make_golden

from posewire.wire import DEFAULT_ADDRESS, VERSION, limits
from posewire.wire.messages import UNITS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "WIRE.md").read_text(encoding="utf-8")


def keys_of_table(after: str) -> set[str]:
    """The keys in the first column of the first table after a text."""
    rows = re.search(r"\n\n(\|.*?)\n\n", DOCUMENT[DOCUMENT.index(after) :], re.DOTALL)
    assert rows is not None
    return {key for row in rows[1].splitlines()[2:] for key in re.findall(r"`(\w+)`", row.split("|")[1])}


def test_every_key_of_a_message_is_documented() -> None:
    assert keys_of_table("## Pose message") == set(make_golden.pose())
    assert keys_of_table("Each map of `people`") == set(make_golden.person())
    subject = make_golden.subject()
    assert keys_of_table("## Subject message") == set(subject)
    for name in ("dofs", "skeletons", "people"):
        assert all(f"`{key}`" in DOCUMENT for key in subject[name][0])


def test_every_limit_is_documented() -> None:
    for limit in (limits.MAX_MESSAGE_BYTES, int(limits.MAX_ROOT_M)):
        assert f"{limit:,}" in DOCUMENT
    for limit in (limits.MAX_BONES, limits.MAX_PEOPLE, limits.MAX_DOFS, limits.MAX_TEXT_BYTES, limits.UNIT_TOLERANCE):
        assert re.search(rf"\b{limit}\b", DOCUMENT)
    assert f"-{limits.MAX_OFFSET_M:g} to {limits.MAX_OFFSET_M:g}" in DOCUMENT
    assert f"-{limits.MAX_ANGLE_RAD:g} to {limits.MAX_ANGLE_RAD:g}" in DOCUMENT
    assert limits.MAX_ID == 2**31 - 1 and "2^31-1" in DOCUMENT
    assert limits.MAX_COUNT == 2**63 - 1 and "2^63-1" in DOCUMENT


def test_version_units_and_address_are_documented() -> None:
    assert f"version {VERSION}" in DOCUMENT.splitlines()[0]
    assert f"`{UNITS}`" in DOCUMENT and f"`{DEFAULT_ADDRESS}`" in DOCUMENT
