"""How the four dumps of Discogs begin their records."""

from __future__ import annotations

import re

from fonoteca.sources.xmlrecords import Shape

# Labels hold elements of their own name (<sublabels><label id="5">Name</label>), but those hold no elements.
SHAPES = {
    "artists": Shape(b"artists", re.compile(rb"<artist>(?=\s{0,64}<)"), b"</artist>"),
    "labels": Shape(b"labels", re.compile(rb"<label>(?=\s{0,64}<)"), b"</label>"),
    "masters": Shape(b"masters", re.compile(rb"<master\s{1,64}id\s{0,64}="), b"</master>", kind="release"),
    "releases": Shape(b"releases", re.compile(rb"<release\s{1,64}id\s{0,64}="), b"</release>", kind="release"),
}
"""By the name of the root element, in the order in which they are read."""
