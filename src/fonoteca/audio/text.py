"""Text from strangers: what may stand in a title, and what is taken out of it."""

from __future__ import annotations

import unicodedata

_BIDI_CODES = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
_BLANKS = {"\t", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"}


def clean_text(text: str, longest: int) -> tuple[str, bool]:
    """The text in NFC without control and bidi control characters, and whether anything was taken out.

    Line breaks and tabs become blanks; lone surrogates become U+FFFD.
    """
    kept = []
    changed = False
    for char in text[: longest * 2]:
        code = ord(char)
        if char in _BLANKS:
            kept.append(" ")
        elif code in _BIDI_CODES or unicodedata.category(char) == "Cc" or code == 0xFEFF:
            changed = True
        elif 0xD800 <= code <= 0xDFFF:
            kept.append("\ufffd")
            changed = True
        else:
            kept.append(char)
    cleaned = unicodedata.normalize("NFC", "".join(kept)).strip()
    return cleaned[:longest].rstrip(), changed or len(cleaned) > longest
