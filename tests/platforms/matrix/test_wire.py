"""What a homeserver, or a gateway in its place, may answer."""

from typing import Any

import pytest

from bot.platforms.matrix import wire
from bot.platforms.matrix.wire import HomeserverError


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[1", b"[" * 100_000, b"\xff"], ids=["nothing", "page", "half", "deep", "bytes"]
)
@pytest.mark.parametrize(("status", "seen"), [(200, 502), (404, 404), (503, 503)])
def test_what_is_no_json_is_an_error_of_a_gateway(status: int, seen: int, body: bytes) -> None:
    with pytest.raises(HomeserverError) as caught:
        wire._read(status, body)
    assert (caught.value.status, caught.value.code) == (seen, "M_NOT_JSON")


def test_an_answer_of_another_shape_is_an_error() -> None:
    with pytest.raises(HomeserverError):
        wire._object([])
    with pytest.raises(HomeserverError) as caught:
        wire._read(400, b"[]")
    assert caught.value.code == ""


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(1500, 1.5), (0, 0.0), (-5, 0.0), (None, None), ("1", None), (True, None), (float("inf"), None), ([], None)],
    ids=str,
)
def test_how_long_to_wait_may_be_anything(value: Any, seconds: float | None) -> None:
    assert HomeserverError(429, {"retry_after_ms": value}).retry_after == seconds


def test_which_errors_pass() -> None:
    assert [
        status for status in (400, 401, 403, 404, 413, 429, 500, 502, 503) if HomeserverError(status, {}).passing
    ] == [
        429,
        500,
        502,
        503,
    ]
