#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""generate.py DIR COUNT [SEED] - writes COUNT manifests, each another mixture of what YAML has.

The same seed gives the same files. Most are YAML; in every fifth one a few characters are changed,
so that readers have to agree on what is broken, too."""
import os
import random
import sys

WORDS = """yes Yes YES no No NO true True TRUE false False on On off OFF y Y n N null Null NULL ~
0 1 -1 +1 007 0o17 0x1F 0b101 -0b11 -0x1F 1_000 0x_1 1e3 1E-5 1.5 -.5 +.5 1. .5e2 1e400 -0 -0.0 0.0
9223372036854775807 9223372036854775808 18446744073709551615 18446744073709551616 1e21 1e20 1.0e-7
123456789.125 .inf -.Inf +.INF .nan .NaN 190:20:30 1:2 2001-12-14 2001-12-14T21:59:43Z 1__0 0b 0x 0o
- . .. ... --- ---x <<< = :x x: ::1 2001:db8:: http://x/?q a?b 100m 1Gi 5m 1h30m web app/v1 v1 Pod
kubernetes.io/name nginx:1.25 sha256:abc @x `x %x #x x#y x #y ! !x & * *x | > ' " [ ] { } ,""".split(" ")
WORDS = [w for word in WORDS for w in word.split("\n") if w]
PLAIN = """a b c name web app-1 v1 Pod image:1.2 a.b/c yes no on off ~ null 0x1F 1e3 1.5 007 .5 1_0 -1
2001-12-14 1:2 x:y a:b:c :x -x ?x x#y x'y x"y <<x 100m 1Gi true False NULL y n http://x/y
café 日本 😀""".split()
KEYS = """a b c d e f g h i j k l m name spec metadata labels data kind app.kubernetes.io/name 1 007 1.5
0x1F true no yes 1e3 2001-12-14 x:y 'q' "q" é -k""".split()
TAGS = """!!str !!int !!float !!bool !!null !!binary !!timestamp !!map !!seq !!set !!omap !!merge !Ref
!ENV !GetAtt ! !<tag:yaml.org,2002:str> !<x:y> !!python/none !a.b/c""".split()
COLLECTION_TAGS = "!!map !!seq !!set !!omap !Ref !GetAtt ! !!null !!str !<x:y>".split()
FITTING = {
    "!!int": ["1", "'2'", "0x10", "-007", "1_0", "18446744073709551615", "1.0"],
    "!!float": ["1", "1.5", "'2.5'", "1e3", "-0", "9007199254740993", "x"],
    "!!bool": ["yes", "'no'", "true", "Off", "1"],
    "!!null": ["~", "''", "null", "x"],
    "!!timestamp": ["2001-12-14", "'2001-1-1'", "2001-12-14T21:59:43.10-05:00", "2001-12-14 1:2:3"],
    "!!binary": ["aGVsbG8=", "aGk=", "YQ==", "AAEC", "/////w==", "w6k=", "'4oKs'", "aGVsbG8"],
}
BREAKS = ["\n"] * 40 + ["\r\n"] * 6 + ["\r"]
ODD_BREAKS = ["\x85", "\u2028", "\u2029", "\r\r\n", "\n\r"]


class Writer:
    def __init__(self, rnd):
        self.rnd = rnd
        self.anchors = []  # of what is complete: names, and those of mappings
        self.maps = []
        self.margin = 0  # the minimum indentation of continued lines of a flow collection
        self.newline = rnd.choice(BREAKS)
        self.odd = rnd.random() < 0.1

    def chance(self, p):
        return self.rnd.random() < p

    def brk(self):
        if self.odd and self.chance(0.05):
            return self.rnd.choice(ODD_BREAKS)
        return self.newline

    # ---- pieces ----

    def comment(self):
        if not self.chance(0.08):
            return ""
        text = self.rnd.choice(["# c", "# 'x", "# a: b", "#", "# é \t", "# {[", "# \" --- "])
        if self.odd and self.chance(0.2):
            text += self.rnd.choice(ODD_BREAKS[:3]) + self.rnd.choice(["", "z: 1", "# d"])
        return self.rnd.choice([" ", "  ", "\t"]) + text

    def props(self, tags=None):
        """The text before a value (an anchor, a tag, both in any order), and the argument
        of end() after the value."""
        out, name = [], None
        if self.chance(0.08):
            name = "a%d" % self.rnd.randrange(8)
            out.append("&" + name)
        if self.chance(0.07):
            out.append(self.rnd.choice(tags or TAGS))
        self.rnd.shuffle(out)
        return (" ".join(out) + " " if out else ""), name

    def end(self, name, is_map=False):
        for names in (self.anchors, self.maps):
            while name in names:
                names.remove(name)
        if name is not None:
            self.anchors.append(name)
            if is_map:
                self.maps.append(name)

    def alias(self, names=None):
        names = self.anchors if names is None else names
        if names and self.chance(0.995):
            return "*" + self.rnd.choice(names)
        return "*a%d" % self.rnd.randrange(8) if self.chance(0.03) else "x"

    def fold(self):
        return self.brk() * self.rnd.choice([1, 1, 2]) + " " * (self.margin + self.rnd.randrange(9))

    def quoted(self):
        text = self.rnd.choice(["", "x", "1", "yes", "a b", " a ", "a: b", "# x", "é", "[x:]", "<<",
                                "it''s", "a\tb", "---", "x,", "\u2028", "😀"])
        if self.chance(0.5):
            if self.chance(0.15):
                text += self.fold() + self.rnd.choice(["y", "", "z"])
            return "'" + text + "'"
        text = text.replace("''", "'")
        if self.chance(0.4):
            text += self.rnd.choice(["\\n", "\\t", "\\x41", "\\u00e9", "\\U0001F600", "\\\\", "\\\"",
                                     "\\0", "\\e", "\\_", "\\N", "\\L", "\\P", "\\ ", "\\/", "\\q",
                                     "\\" + self.fold(),
                                     "\\" + self.fold()])
            if self.chance(0.02):
                text += "\\ud83d"
        if self.chance(0.15):
            text += self.fold() + self.rnd.choice(["y", "", "z"])
        return '"' + text + '"'

    def plain(self, flow):
        word = self.rnd.choice(WORDS) if self.chance(0.12) else self.rnd.choice(PLAIN)
        if self.chance(0.1):
            word += " " + self.rnd.choice(PLAIN)
        if self.chance(0.03):
            word += self.rnd.choice([":", "::", " :", "?", ":x"])
        return word

    def multiline(self, indent):
        lines = [self.rnd.choice(PLAIN) for _ in range(self.rnd.randrange(2, 4))]
        out = lines[0]
        for line in lines[1:]:
            out += self.brk() * self.rnd.choice([1, 1, 1, 2, 3]) + " " * (indent + self.rnd.randrange(3))
            out += line
        return out

    def block(self, indent):
        """A literal or folded text, with indicators, blank lines and more indented ones."""
        head = self.rnd.choice("||>") + self.rnd.choice(["", "", "-", "+"])
        depth = self.rnd.choice([1, 2, 2, 2, 4])
        if self.chance(0.15):
            head += str(depth if self.chance(0.8) else self.rnd.randrange(10))
        if self.chance(0.1) and len(head) == 3:
            head = head[0] + head[2] + head[1]
        out = head + self.comment()
        pad = " " * (max(indent, 0) + depth)
        begun = self.chance(0.03)
        for _ in range(self.rnd.randrange(0, 5)):
            kind = self.rnd.random()
            if kind < 0.2:
                out += self.brk() + self.rnd.choice(["", "", pad if begun else "", ""])
            else:
                more = self.rnd.choice(["", "", "  ", "\t"]) if begun else ""
                begun = True
                out += self.brk() + pad + more + self.rnd.choice(
                    ["x", "x y", "# no comment", "- a", "a: b", "é", "x ", "'", "{", "\\n"])
        for _ in range(self.rnd.choice([0, 0, 0, 1, 2])):
            out += self.brk()
        return out

    # ---- scalars and flow collections ----

    def scalar(self, flow, indent):
        kind = self.rnd.random()
        if kind < 0.07:
            return self.alias()
        props, name = self.props()
        value = self.untagged(kind, flow, indent)
        for tag, values in FITTING.items():
            if tag + " " in props and self.chance(0.93):
                value = self.rnd.choice(values)
        self.end(name)
        return props + value

    def untagged(self, kind, flow, indent):
        if kind < 0.25:
            return self.quoted()
        if kind < 0.30:
            return self.multiline(self.margin if flow else max(indent, 0) + 1)
        if kind < 0.34 and not flow:
            return ""
        return self.plain(flow)

    def key(self, used, flow):
        if self.chance(0.06):
            return self.rnd.choice(["<<", "<<", "<<", "!!merge <<", "! <<", "\"<<\"", "!!str <<"])
        if self.chance(0.01):
            return self.alias() + " "
        for _ in range(3):
            key = self.rnd.choice(KEYS)
            if key not in used:
                break
        if key in used and self.chance(0.97):
            key = "k%d" % len(used)
        used.add(key)
        props, name = self.props(["!!str", "!Ref", "! "]) if self.chance(0.3) else ("", None)
        self.end(name)
        return props + key

    def is_merge(self, key):
        return key.endswith("<<") and not key.startswith("!!str")

    def merged(self, depth):
        """Mostly what can be merged."""
        if self.chance(0.02):
            return self.flow(depth + 1)
        one = lambda: self.alias(self.maps) if self.maps and self.chance(0.6) else \
            self.flow_map(depth + 1)
        if self.chance(0.3):
            return "[" + ", ".join(one() for _ in range(self.rnd.randrange(4))) + "]"
        return one()

    def space(self):
        if self.chance(0.05):
            return self.brk() + " " * (self.margin + self.rnd.randrange(5))
        return self.rnd.choice(["", " ", " ", " ", "  "])

    def flow_map(self, depth):
        used, out = set(), []
        for _ in range(self.rnd.choice([0, 1, 1, 2, 3])):
            key = self.key(used, True)
            value = self.merged(depth) if self.is_merge(key) else self.flow(depth + 1)
            kind = self.rnd.random()
            if kind < 0.05:
                out.append(key)
            elif kind < 0.1:
                out.append("? " + key + " : " + value)
            elif kind < 0.16:
                out.append(key + ":" + value)
            else:
                out.append(key + ":" + self.rnd.choice([" ", " ", "  ", "\t"]) + value)
        return "{" + self.space() + (self.space() + "," + self.rnd.choice([" ", " ", ""])).join(out) + \
            ("," if self.chance(0.05) else "") + self.space() + "}"

    def flow(self, depth):
        if depth > 4 or self.chance(0.55):
            return self.scalar(True, 1)
        props, name = self.props(COLLECTION_TAGS)
        if self.chance(0.5):
            out = self.flow_map(depth)
            self.end(name, True)
            return props + out
        items = [self.flow(depth + 1) for _ in range(self.rnd.choice([0, 1, 2, 3]))]
        if self.chance(0.1):
            items.append("%s: %s" % (self.rnd.choice(KEYS), self.scalar(True, 1)))
        self.end(name)
        return props + "[" + self.space() + (self.space() + "," + self.rnd.choice([" ", " ", ""])).join(
            items) + ("," if self.chance(0.05) else "") + self.space() + "]"

    # ---- block collections: lines after "- " or "key:" ----

    def value(self, depth, indent):
        """The text after a colon or a dash, up to the end of its last line."""
        kind = self.rnd.random()
        self.margin = max(indent, 0) + 1
        if depth > 5 or kind < 0.45:
            if self.chance(0.12):
                props, name = self.props(["!!str", "!Ref", "!!binary"])
                text = self.block(indent)
                self.end(name)
                return " " + props + text
            return " " + self.scalar(False, indent) + self.comment()
        if kind < 0.6:
            return " " + self.flow(depth + 1) + self.comment()
        props, name = self.props(COLLECTION_TAGS)
        inner = indent + self.rnd.choice([1, 2, 2, 2, 4])
        head = (" " + props.strip() if props else "") + self.comment() + self.brk()
        is_map = kind < 0.85
        if not is_map and self.chance(0.3):
            inner = max(indent, 0)
        out = self.mapping(depth + 1, inner) if is_map else self.sequence(depth + 1, inner)
        self.end(name, is_map)
        return head + out

    def blank(self):
        if not self.chance(0.05):
            return ""
        return self.rnd.choice(["", "", "  ", "# c", "   # c"]) + self.brk()

    def mapping(self, depth, indent, first_indent=None):
        used, lines = set(), []
        for i in range(self.rnd.choice([1, 1, 2, 3, 4])):
            key = self.key(used, False)
            pad = " " * (indent if i > 0 or first_indent is None else first_indent)
            self.margin = indent + 1
            if self.is_merge(key):
                if self.chance(0.3):
                    lines.append(pad + key + ":" + self.brk() + self.mapping(depth + 1, indent + 2))
                else:
                    lines.append(pad + key + ": " + self.merged(depth))
            elif self.chance(0.04):
                lines.append(pad + "? " + key + self.brk() + " " * indent + ":" +
                             self.value(depth, indent))
            elif self.chance(0.02):
                lines.append(pad + "? " + key)
            else:
                colon = self.rnd.choice([":", ":", ":", ":", ":", " :"])
                lines.append(pad + key + colon + self.value(depth, indent))
        return (self.brk()).join(self.blank() + line if i else line for i, line in enumerate(lines))

    def sequence(self, depth, indent):
        lines = []
        for _ in range(self.rnd.choice([1, 1, 2, 3])):
            dash = " " * indent + "-"
            if self.chance(0.3) and depth < 5:
                lines.append(dash + " " + self.mapping(depth + 1, indent + 2, 0))
            else:
                lines.append(dash + self.value(depth + 1, indent))
        return (self.brk()).join(lines)

    def document(self):
        self.anchors, self.maps, self.margin = [], [], 1
        kind = self.rnd.random()
        head = ""
        if self.chance(0.15) and kind < 0.75:
            # Something to alias and to merge.
            for i in range(self.rnd.randrange(1, 4)):
                head += "x%d: &a%d %s" % (i, i, self.flow_map(3)) + self.brk()
                self.end("a%d" % i, True)
        if kind < 0.75:
            return head + self.mapping(0, 0)
        if kind < 0.85:
            return self.sequence(0, 0)
        if kind < 0.95:
            return self.flow(0)
        return self.value(0, -1).lstrip(" ")

    def file(self):
        out = self.rnd.choice(["", "", "", "", "# c" + self.newline, "\ufeff"])
        if self.newline != "\r" and self.chance(0.15):
            out += "---" + self.newline
        # kubectl knows no separator between lines that end in a lone \r.
        count = 1 if self.newline == "\r" else self.rnd.choice([1, 1, 1, 2, 3])
        for i in range(count):
            if i:
                out += self.rnd.choice(["---", "---", "---", "--- # c", "---  "]) + self.newline
            out += self.document()
            if i < count - 1 or self.chance(0.9):
                out += self.newline
            if self.chance(0.03):
                out += "..." + self.newline
        return out


def damage(rnd, text):
    """A few characters more, less, or another."""
    for _ in range(rnd.choice([1, 1, 2, 3])):
        at = rnd.randrange(len(text) + 1)
        text = text[:at] + rnd.choice(["", " ", "\t", ":", "-", "?", "\n", "'", "\"", "#", ",", "]", "}",
                                       "&x ", "*", "!", "%", "\r", ": ", "- ", "  "]) + \
            text[at + rnd.choice([0, 0, 1, 2]):]
    return text


def encode(rnd, text):
    kind = rnd.random()
    marked = text.startswith("\ufeff")
    if kind < 0.01:
        return ("" if marked else "\ufeff").encode("utf-16-le") + text.encode("utf-16-le")
    if kind < 0.02:
        return ("" if marked else "\ufeff").encode("utf-16-be") + text.encode("utf-16-be")
    data = text.encode("utf-8")
    if kind < 0.04 and data and not marked:
        at = rnd.randrange(len(data))
        data = data[:at] + rnd.choice([b"\xff", b"\xc3", b"\xe2\x82", b"\x80", b"\xed\xa0\x80"]) + data[at:]
    return data


def main():
    folder, count = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    os.makedirs(folder, exist_ok=True)
    for number in range(count):
        rnd = random.Random("%d %d" % (seed, number))
        text = Writer(rnd).file()
        if number % 5 == 4:
            text = damage(rnd, text)
        with open(os.path.join(folder, "%05d.yaml" % number), "wb") as out:
            out.write(encode(rnd, text))


if __name__ == "__main__":
    main()
