"""The forms of an account, a phone and an e-mail address, and which of the three a text at Login is."""

from __future__ import annotations

import re
import unicodedata

from control.refusals import BadParameter

_MAINLAND = re.compile(r"1\d{10}", re.ASCII)
_E164 = re.compile(r"\+[1-9]\d{7,14}", re.ASCII)
LONGEST = 254  # characters, of what can be typed at Login: an e-mail address
LONGEST_ACCOUNT = 32  # characters, composed
LONGEST_TYPED = 32  # characters, of a phone number with its spaces and hyphens
_SPACING = str.maketrans("", "", " -\u00a0")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_LETTERS_DIGITS_MARKS = ("L", "N", "M")  # Unicode categories; a mark is half a letter in many scripts


def phone(text: str) -> str | None:
    """The number as E.164, or None if this is no phone number. Eleven digits from 1 on are a number of +86."""
    if _MAINLAND.fullmatch(text):
        return "+86" + text
    return text if _E164.fullmatch(text) else None


def typed_phone(text: str) -> str | None:
    """Likewise, of a number as people write it, with spaces and hyphens."""
    return phone(text.translate(_SPACING)) if len(text) <= LONGEST_TYPED else None


def folded(text: str) -> str:
    """What two spellings of one name have in common: case and width do not count."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def has_controls(text: str) -> bool:
    return any(unicodedata.category(sign) == "Cc" for sign in text)


def account(text: str) -> str:
    """Raises BadParameter unless this is 2 to 32 letters, digits, `_ . -`, and cannot be taken for a phone number."""
    if len(text) > 4 * LONGEST_ACCOUNT:  # before the work: a letter can be taken apart into four, and no more
        raise BadParameter("account")
    name = unicodedata.normalize("NFC", text)
    allowed = all(sign in "_.-" or unicodedata.category(sign)[0] in _LETTERS_DIGITS_MARKS for sign in name)
    if not 2 <= len(name) <= LONGEST_ACCOUNT or not allowed or typed_phone(folded(name)):
        raise BadParameter("account")
    return name


def email(text: str) -> str:
    """Raises BadParameter unless it has the shape of an address."""
    if len(text) > LONGEST or not text.isprintable() or not _EMAIL.fullmatch(text):
        raise BadParameter("email")
    return text


def login_key(text: str) -> tuple[str, str]:
    """The column and value that a text typed at Login means. What is nobody's account may be a `typed_phone`."""
    # Nothing longer is anybody's, and folding takes a time that grows with the square of the length.
    key = folded(text) if len(text) <= LONGEST else ""
    if "@" in key:
        return "email_key", key
    number = phone(key)
    return ("phone", number) if number else ("account_key", key)
