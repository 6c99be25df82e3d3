"""MusicBrainz' derived dump: the tags that its users vote for, most of them genres. Few recordings have any."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.generate import laws, mbdump
from benchmarks.generate.lines import chosen, copy_rows
from benchmarks.generate.mbdump import STAMPS
from benchmarks.generate.mix import Index
from benchmarks.generate.model import Shard
from benchmarks.generate.pattern import BLOCK

FOLDER = "mbdump-derived"
"""It is a dump of its own, beside the one of the tables."""
TAGGED = 30
"""Of 1,000 recordings; every other one of them has two tags."""
VOTED_DOWN = 25
"""One tag in so many has as many votes against it as for it."""
_NAMES = """
rock|electronic|pop|hip hop|jazz|alternative rock|indie rock|pop rock|punk|folk|ambient|experimental|hard rock|metal|
house|singer-songwriter|techno|soul|classical|indie pop|blues|country|punk rock|heavy metal|death metal|r&b|electro|
reggae|synth-pop|downtempo|black metal|hardcore punk|new wave|progressive rock|industrial|trance|funk|post-punk|
alternative metal|noise|drum and bass|folk rock|psychedelic rock|thrash metal|classic rock|pop punk|disco|blues rock|
dance-pop|contemporary r&b|shoegaze|trip hop|dub|metalcore|art rock|garage rock|idm|post-rock|dream pop|deep house|
doom metal|gothic rock|power metal|emo|tech house|dance|progressive metal|lo-fi|dubstep|j-pop|europop|minimal|soft rock|
grunge|glitch|breakbeat|dark ambient|country rock|progressive house|nu metal|americana|power pop|easy listening|
melodic death metal|avant-garde|free improvisation|swing|latin|britpop|electro house|baroque|gospel|hardcore|acoustic|
fusion|world fusion|space rock|post-hardcore|vocal jazz|gangsta rap|noise rock|chillout|krautrock|big band|opera|
eurodance|ebm|rockabilly|ska|dancehall|bluegrass|progressive trance|rock and roll|doo-wop|acid house|symphonic metal|
field recording|drone|romantic classical|grindcore|bossa nova|psytrance|stoner rock|musique concrète|contemporary jazz|
hard bop|gothic metal|trap|k-pop|darkwave|glam rock|southern rock|industrial rock|roots reggae|surf rock|sludge metal|
math rock|nu jazz|bebop|psychedelic pop|smooth jazz|jungle|score|harsh noise|jazz fusion|indie folk|industrial metal|
skate punk|boom bap|french pop|italo-disco|post-metal|modern classical|speed metal|comedy|spoken word|acid jazz|
crust punk|groove metal|free jazz|hard trance|chamber pop|big beat|viking metal|conscious hip hop|vaporwave|oi|
afrobeat|cool jazz|psychobilly|electroclash|folk metal|neoclassical|musical|happy hardcore|celtic|chanson|flamenco|
art pop|folk punk|schlager|uk garage|salsa|brutal death metal|gabber|hardstyle|delta blues|medieval|renaissance|
chicago blues|soca|grime|samba|fado|tango|honky tonk|klezmer|cumbia|mpb|zydeco|qawwali|enka|ragtime|bachata
"""
GENRES = tuple(_NAMES.replace("\n", "").split("|"))
"""Names that MusicBrainz lists as genres, about in the order of how often they are used."""
OTHERS = ("seen live", "favorites", "female vocals", "instrumental", "2008", "soundtrack", "british", "to listen")
"""Tags that are no genres."""
_WEIGHTS = (*(1_000_000 // (place + 4) for place in range(len(GENRES))), *[9_000] * len(OTHERS))


def constant() -> Mapping[str, bytes]:
    """The tags and what is said of the dump, the same in every one."""
    named = zip(GENRES + OTHERS, _WEIGHTS, strict=True)
    rows = [f"{_id(place)}\t{name}\t{weight}\n" for place, (name, weight) in enumerate(named)]
    about = {f"{FOLDER}/{name}": data for name, data in mbdump.constant().items() if "/" not in name}
    return {**about, f"{FOLDER}/mbdump/tag": "".join(rows).encode()}


def _id(place: Any) -> Any:
    """The numbers of tags have gaps."""
    return 7 * place + 3


def tables(shard: Shard, blocks: Index) -> dict[str, list[memoryview]]:
    """Which recordings of some blocks have which tags."""
    numbers = np.arange(blocks[0] * BLOCK, min((blocks[-1] + 1) * BLOCK, shard.end))
    dice = shard.dice
    tagged = numbers[dice.below("tagged", numbers, 1_000) < TAGGED]
    first = laws.picked(dice.bits("tag", tagged), _WEIGHTS)
    second = laws.picked(dice.bits("another tag", tagged), _WEIGHTS)
    second = np.where(second == first, (first + 1) % len(_WEIGHTS), second)
    there = np.column_stack([np.ones(len(tagged), bool), dice.one_in("two tags", tagged, 2)]).ravel()
    recording, tag = np.repeat(tagged, 2)[there], np.column_stack([first, second]).ravel()[there]
    row = recording * len(_WEIGHTS) + tag
    votes = np.where(dice.one_in("voted down", row, VOTED_DOWN), 0, 1 + dice.below("votes", row, 5))
    stamp = chosen(dice.below("stamp", row, len(STAMPS)), STAMPS)
    return {f"{FOLDER}/mbdump/recording_tag": [copy_rows(recording + 1, _id(tag), votes, stamp)]}


def genres() -> bytes:
    """The table of what counts as a genre: MusicBrainz publishes it with the other tables."""
    stamps = (f"{n + 1}\t{uuid.UUID(int=n + 1 << 64, version=4)}\t{name}\t\t0\t{STAMPS[n % len(STAMPS)]}\n"
              for n, name in enumerate(sorted(GENRES)))  # fmt: skip
    return "".join(stamps).encode()
