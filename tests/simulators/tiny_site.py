"""The pieces that the tests of the site publish: heard, unheard, hostile, withheld, described only."""

from __future__ import annotations

from simulators.tiny_edition import Piece

ELISE = Piece("Für Elise", "Ludwig van Beethoven", "Bagatelles", 900, 1810, isrc="DEA123456789")
MOON = Piece("月亮代表我的心", "邓丽君", "岛国之情歌", 95, 1977, "CC-BY-NC-ND-4.0")
MARKUP = Piece("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", 1)
SECRET = Piece("Secret", "Nobody", None, 400, 1980)
KNOWN = Piece("Only described", "Nobody", None, 300, licence="")
PIECES = [ELISE, MOON, MARKUP, SECRET, KNOWN]
