# The other side of python-hpack.test.ts: encodes header lists, and decodes blocks, with python3-hpack. Debian's python3-h2 brings it.
# Reads one JSON object from standard input and writes one. Strings stand for octets (latin1).
import json
import sys
from hpack import Decoder, Encoder
from hpack.struct import HeaderTuple, NeverIndexedHeaderTuple

asked = json.load(sys.stdin)


def octets(text):
    return text.encode("latin1")


encoder = Encoder()
blocks = []
for step in asked["encode"]:
    if step["tableSize"] is not None:
        encoder.header_table_size = step["tableSize"]
    fields = [
        (NeverIndexedHeaderTuple if sensitive else HeaderTuple)(octets(name), octets(value))
        for name, value, sensitive in step["fields"]
    ]
    blocks.append(encoder.encode(fields, huffman=step["huffman"]).hex())

decoder = Decoder()
lists = []
for block in asked["decode"]:
    fields = decoder.decode(bytes.fromhex(block), raw=True)
    lists.append([[name.decode("latin1"), value.decode("latin1")] for name, value in fields])

json.dump({"blocks": blocks, "lists": lists}, sys.stdout)
