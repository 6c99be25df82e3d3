"""Small dumps of Discogs that the tests of both ways read."""

from __future__ import annotations

ARTISTS = """<artists>
<artist><id>1</id><name>The Persuader</name><urls><url>https://musicbrainz.org/artist/\
8f6bd1e4-fbe1-4f50-aa9b-94c450ec0f11</url><url>http://x</url></urls></artist>
<artist><id>2</id><name>Genesis (2)</name></artist>
<artist><id>3</id><name/></artist>
</artists>
"""
LABELS = """<labels>
<label><id>1</id><name>Planet E</name><sublabels><label id="5">Antidote (4)</label><label/></sublabels></label>
</labels>
"""
MASTERS = """<masters>
<master id="113"><main_release>9</main_release><artists><artist><id>2</id><name>Genesis (2)</name><anv/><join/>\
</artist></artists><genres><genre>Pop</genre></genres><styles><style>Ska</style></styles><year>0</year>\
<title>Moments</title></master>
</masters>
"""
FIRST = """<release id="9" status="Accepted"><artists><artist><id>2</id><name>Genesis (2)</name><anv>GENESIS</anv>\
<join>Feat.</join></artist><artist><id>0</id><name>Nobody</name><anv/><join/></artist></artists>\
<title>A &amp; B</title>\
<labels><label name="Svek (3)" catno="SK032" id="5"/><label name="None" catno="none"/></labels><extraartists><artist>\
<id>1</id><name>The Persuader</name><anv/><join/><role>Written-By</role></artist></extraartists><formats>\
<format name="Vinyl"><descriptions><description>12"</description><description>Album</description></descriptions>\
</format></formats><genres><genre>Electronic</genre></genres><styles><style>House</style></styles>\
<country>Sweden</country><released>1999-00-00</released><master_id>113</master_id><tracklist>\
<track><position/><title>This Side</title><duration/></track>\
<track><position>A1</position><title>One</title><duration>4:45</duration><artists><artist><id>1</id>\
<name>The Persuader</name><join>,</join></artist></artists><extraartists><artist><id/><name>X (2)</name>\
<role>Remix</role></artist></extraartists></track>\
<track><position>A1</position><title>One again</title><duration/></track>\
<track><position/><title>Medley</title><duration>9:00</duration><sub_tracks><track><position>B1.a</position>\
<title>Part</title><duration>0:00</duration></track></sub_tracks></track>\
<track><position>2-07</position><title>Late</title><duration>x</duration></track></tracklist>\
<identifiers><identifier type="Barcode" value="5 024900 001498 &gt;"/><identifier type="Barcode" value="none at all"/>\
<identifier type="ISRC" description="Track 2-07" value="IT-J04-01-00240"/>\
<identifier type="ISRC" value="ITJ040100241"/>\
</identifiers></release>"""
SECOND = """<release id="10"><title>Bare</title><tracklist><track><position/><title>Only</title></track></tracklist>\
<identifiers><identifier type="ISRC" value="ITJ040100242"/></identifiers></release>"""
BROKEN = '<release id="11"><title>Broken</tilte></release>'


def releases(*records: str, end: str = "</releases>\n") -> bytes:
    return ("<releases>\n" + "\n".join(records) + "\n" + end).encode()
