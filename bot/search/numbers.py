"""Telephone numbers and mail addresses as numbers: the same however they are spelled."""

import re
from collections.abc import Sequence
from zlib import crc32

NUMBER = 10**8  # the last eight digits of a telephone number tell it, whatever stands before them
_NO_DIGIT = re.compile(r"[^0-9\n]+")
_SHORTEST_NUMBER = 6


def numbers_of_phones(phones: Sequence[str]) -> list[int]:
    """Return the numbers by which telephone numbers are known, however they are spelled; 0 for what is too short."""
    digits = _NO_DIGIT.sub("", "\n".join(phone.replace("\n", "") for phone in phones).replace("(0)", ""))
    bare = (number.lstrip("0") for number in digits.split("\n")) if phones else ()
    return [int(number[-8:]) if len(number) >= _SHORTEST_NUMBER else 0 for number in bare]


def number_of_email(email: str) -> int:
    """Return the number by which a mail address is known, 0 for none; no telephone number is as large."""
    known = email.strip().lower().encode("utf-8", "surrogatepass")
    return NUMBER + (len(known) << 32) + crc32(known) if known else 0
