"""Releases of Discogs that are broken, odd or hostile, by what is odd about them."""

from __future__ import annotations

from contracts.discogs_samples import BROKEN, FIRST

OTHER = FIRST.replace("A &amp; B", "Other")


def release(number: int, inside: str) -> str:
    return f'<release id="{number}" status="Accepted"><title>T{number}</title>{inside}</release>'


def track(inside: str) -> str:
    return f"<tracklist><track><position>A1</position><title>One</title>{inside}</track></tracklist>"


def artist(inside: str) -> str:
    return f"<artist>{inside}</artist>"


NAMED = artist("<id>7</id><name>Seven (2)</name><anv>VII</anv><join>,</join><role/>")
UNLINKED = artist("<name>Zoe\u0301</name><id/>")
HOSTILE = {
    "entity expansion": '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + release(11, "<country>&b;</country>"),
    "quadratic blow-up": f'<!DOCTYPE r [<!ENTITY a "{"a" * 5000}">]>'
    + release(11, "<notes>" + "&a;" * 999 + "</notes>"),
    "external entity": '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + release(11, "<notes>&x;</notes>"),
    "control character": release(11, "<country>Sw\x07eden</country>"),
    "control character in an attribute": release(11, '<labels><label name="a\x01b" catno="1" id="1"/></labels>'),
    "reference to a control character": release(11, "<country>Sw&#7;eden</country>"),
    "reference to a surrogate": release(11, "<country>&#xD800;</country>"),
    "references of all kinds": release(11, "<country>&#214;&#xD6;&amp;&lt;&#x1F600;&#128512;&apos;&#13;</country>"),
    "reference to nothing": release(11, "<country>&;</country>"),
    "reference to more than there is": release(11, "<country>&#1114112;</country>"),
    "invalid token": release(11, "<country><</country>"),
    "new elements": release(11, "<new><title>No</title><position>A</position></new><country>X<new/></country>"),
    "an element twice": release(11, "<title>Second</title><country>A</country><country>B</country>"),
    "two tracklists": release(11, track("") + track("")),
    "two artists elements": release(11, f"<artists>{NAMED}</artists><artists>{NAMED}</artists>"),
    "two artists elements around parts": release(
        11,
        track(
            f"<artists>{NAMED}</artists><sub_tracks><track><position>A1a</position><title>P</title><artists>{NAMED}"
            f"</artists></track></sub_tracks><artists>{NAMED}</artists>"
        ),
    ),
    "parts without positions": release(
        11, track("<sub_tracks><track><position/><title>P</title></track></sub_tracks>")
    ),
    "parts of parts": release(
        11,
        track(
            "<sub_tracks><track><position> </position><title>P</title><sub_tracks><track><position>X</position>"
            "</track></sub_tracks></track></sub_tracks>"
        ),
    ),
    "a position deeper down": release(
        11, "<tracklist><x><position>1</position></x><track><position/><title>T</title></track></tracklist>"
    ),
    "no elements": '<release id="11"></release>',
    "an empty element": '<release id="11"/>',
    "depth of 100,000": '<release id="11">' + "<a>" * 100_000 + "</a>" * 100_000 + "</release>",
    "depth of 30": '<release id="11">' + "<a>" * 30 + "</a>" * 30 + "</release>",
    "depth of 33": '<release id="11">' + "<a>" * 33 + "</a>" * 33 + "</release>",
    "tags crossed": '<release id="11"><a><b></a></b></release>',
    "no end": '<release id="11"><title>no end',
    "wrong end": BROKEN,
    "two ends": release(11, "") + "</release>",
    "an end too many inside": '<release id="11"></title></release>',
    "text behind": release(11, "") + "stray",
    "blanks behind": release(11, "") + " \n\t ",
    "a comment": release(11, '<!-- <release id="12"> --><country>X</country>'),
    "a comment in a text": release(11, "<country>X<!-- y -->Z</country>"),
    "a section of characters": release(11, "<country><![CDATA[<X>&]]></country>"),
    "an instruction": release(11, "<?php x ?><country>X</country>"),
    "greater in a text": release(11, "<country>a > b</country>"),
    "greater in an attribute": release(11, '<labels><label name="a > b" catno="1" id="1"/></labels>'),
    "less and greater in attributes": release(11, '<x a=">" b="<"/><country>X</country>'),
    "quotes in turn": release(11, "<x a='\"' b='\"'/><country>X</country>"),
    "single quotes": release(11, "<labels><label name='a' catno='1' id='1'/></labels>"),
    "an attribute twice": release(11, '<x abcdefghijklm="1" abcdefghijklm="2"/>'),
    "a short attribute twice": release(11, '<x a="1" a="2"/>'),
    "an attribute without a value": release(11, "<x a/>"),
    "attributes without a blank": release(11, '<x a="1"b="2"/>'),
    "an attribute of two lines": release(11, '<labels><label name="a\nb" catno="1\t2" id="1"/></labels>'),
    "a name space": release(11, '<x xmlns="urn:x"><country>X</country></x><y:country xmlns:y="u">Z</y:country>'),
    "an end with attributes": release(11, '<x></x a="1">'),
    "a line of the old kind": release(11, "<country>a\r\nb\rc</country>").replace("A1", "A\r1"),
    "blanks of all kinds": release(11, "<country>\n a  b\t c </country>" + track("<duration> 3:00 </duration>")),
    "blanks beyond ASCII": release(11, "<country>\u3000a\u00a0</country>").replace("T11", "\u2003T\u2003"),
    "marks of direction": release(11, "<country>a\u202eb</country>"),
    "text read wrongly once": release(11, "<country>K\u00c3\u00b6ln \u00c2\u0085</country>"),
    "no character": release(11, "<country>\ufffe</country>"),
    "a mark of damage": release(11, "<country>\ufffd</country>"),
    "a number of nineteen digits": '<release id="1111111111111111111"><title>x</title></release>',
    "number zero": '<release id="0"><title>x</title></release>',
    "numbers with zeros before": '<release id="0011"><title>x</title></release>',
    "a number as a reference": '<release id="&#49;1"><title>x</title></release>',
    "no number": '<release id=""><title>x</title></release>',
    "another attribute first": '<release status="x" id="11"><title>x</title></release>',
    "credits without names": release(11, f"<artists>{artist('<id>1</id><name/>')}{NAMED}</artists>"),
    "credits without numbers": release(11, f"<artists>{NAMED}{UNLINKED}</artists>"),
    "credits of odd numbers": release(
        11,
        "<artists>"
        + "".join(artist(f"<id>{i}</id><name>N{i}</name>") for i in ("0", "007", " 8 ", "-1", "1" * 19, "x", "&#55;"))
        + "</artists>",
    ),
    "an extra artist without a role": release(11, f"<artists>{NAMED}</artists><extraartists>{NAMED}</extraartists>"),
    "a role that says artist": release(
        11,
        f"<artists>{NAMED}</artists><extraartists>"
        f"{artist('<id>8</id><name>E</name><role>artist</role>')}</extraartists>",
    ),
    "extra artists first": release(
        11,
        f"<extraartists>{artist('<id>8</id><name>E</name><role>Mix</role>')}"
        f"</extraartists><artists>{NAMED}{NAMED}</artists>",
    ),
    "joins of all kinds": release(
        11,
        "<artists>"
        + "".join(
            artist(f"<id>{n}</id><name>N</name><join>{j}</join>")
            for n, j in enumerate([",", "&amp;", "", " x ", "Feat."])
        )
        + "</artists>",
    ),
    "an artist of two names": release(
        11, "<artists>" + artist("<id>1</id><name>A</name><name>B</name>") + "</artists>"
    ),
    "positions twice": release(
        11,
        "<tracklist>"
        + "".join(f"<track><position>{p}</position><title>t</title></track>" for p in ("A", "A", "A:2", "B", " A "))
        + "</tracklist>",
    ),
    "no positions at all": release(
        11, "<tracklist>" + "<track><position/><title>t</title></track>" * 3 + "</tracklist>"
    ),
    "places of all kinds": release(
        11,
        "<tracklist>"
        + "".join(
            f"<track><position>{p}</position><title>t</title></track>"
            for p in ("1-1", "CD2-3", "7", "0", "A1", "1-0", "\u0661")
        )
        + "</tracklist>",
    ),
    "durations of all kinds": release(
        11,
        "<tracklist>"
        + "".join(
            f"<track><position>{p}</position><duration>{d}</duration></track>"
            for p, d in enumerate(("", "0:00", "3:45", "x", "99:99", "10:00:00", "&#51;:00", "\u0663:00"))
        )
        + "</tracklist>",
    ),
    "dates of all kinds": "\n".join(
        release(100 + n, f"<released>{d}</released>")
        for n, d in enumerate(("1999", "1999-00-00", "0000", "19", "1999-13-01", "x", " 1999 ", "&#49;999", ""))
    ),
    "formats of all kinds": release(
        11,
        '<formats><format name="x"/><format name="y"><descriptions><description>12"</description>'
        "<description>&#69;P</description><description>LP</description></descriptions></format></formats>",
    ),
    "labels of all kinds": release(
        11,
        '<labels><label catno="none" name="A (2)"/><label name="A" catno="X"/>'
        '<label name="" catno=""/><label id="1"/><label>x</label></labels>',
    ),
    "genres twice": release(11, "<genres><genre>A</genre><genre>A</genre></genres><styles><style>A</style></styles>"),
    "styles first": release(11, "<styles><style>S</style></styles><genres><genre>G</genre><genre/></genres>"),
    "identifiers of all kinds": release(
        11,
        track("") + '<master_id is_main_release="true"> 12 </master_id><identifiers>'
        '<identifier type="Barcode" value="5 024900 001498 &gt;"/><identifier type="&#66;arcode" value="0"/>'
        '<identifier value="74646362822" type="Barcode"/><identifier type="Barcode"/>'
        '<identifier type="ISR&#67;" value="ITJ040100241"/><identifier type="Other" value="x"/></identifiers>',
    ),
    "a number that came before": FIRST,
    "a number that came before with other content": OTHER,
    "a number that came before, twice": OTHER + "\n" + FIRST + "\n" + OTHER,
}
