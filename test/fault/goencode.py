# SPDX-License-Identifier: Apache-2.0
"""goencode.py - values as Go's encoding/json writes them: what an API server prints.

An invalid UTF-8 byte is a lone surrogate here (Python's "surrogateescape"); Go writes each of them
as \\ufffd, so that two keys that differ become the same. A NUL is \\u0000, U+FFFD itself is
is, and <, >, &, U+2028 and U+2029 are escaped. `Raw` is written as it is: other forms of numbers, and
depth that Python would not recurse into."""


class Raw(str):
    pass


ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f",
           "<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
ESCAPES.update({chr(c): "\\u%04x" % c for c in range(32) if chr(c) not in ESCAPES})
ESCAPES.update({chr(c): "\\ufffd" for c in range(0xd800, 0xe000)})
TABLE = str.maketrans(ESCAPES)


def text(value):
    return '"' + value.translate(TABLE) + '"'


def encode(value):
    parts = []
    write(value, parts.append)
    return "".join(parts).encode()


def write(value, add):
    if isinstance(value, Raw):
        add(value)
    elif isinstance(value, str):
        add(text(value))
    elif value is None or value is True or value is False:
        add({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, dict):
        comma = "{"
        for key, item in value.items():
            add(comma + text(key) + ":")
            write(item, add)
            comma = ","
        add("{}" if comma == "{" else "}")
    elif isinstance(value, (list, tuple)):
        comma = "["
        for item in value:
            add(comma)
            write(item, add)
            comma = ","
        add("[]" if comma == "[" else "]")
    else:
        add(repr(value))
