# SPDX-License-Identifier: Apache-2.0
r"""golden.py - runs the golden cases: NAME.case holds a command, its input and its expected output.

    CURFEW=build/curfew python3 test/golden/golden.py [NAME...]    compare
    UPDATE=1 python3 test/golden/golden.py [NAME...]               rewrite, then read the diff by eye
    python3 test/golden/golden.py --extract DIR                    write the input to DIR/NAME/, for other
                                                                   tests (without files of other folders)

A case reads like a session:

    # What this case shows, where its name does not say it.
    $ curfew review -f pod.yaml --objects cluster.yaml
    > | tail -n 1                              (the command may go on)
    -- pod.yaml --                             an input file, to the next line of this form
    apiVersion: v1
    -- cluster.yaml = input/cluster.yaml --    an input file or folder that several cases share,
                                               or that is not short plain text
    -- apps/link -> ../other --                an input file that is a symbolic link
    -- stdout --                               what the command prints; no section means nothing
    -- stderr, escaped --                      \\ is a backslash, \r a carriage return, \xHH a byte; a
                                               backslash at the very end: the last line does not end
    -- exit 1 --

The command runs with sh in a folder that holds the input and nothing else; its standard input is
empty. A path after `=` is relative to this folder. All input has to be there and has to be used: by
the command, or by another input file; a file below input/ by a case.
"""

import concurrent.futures
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

PATIENCE = 300  # seconds for one command

MARKER = re.compile(rb"-- (.+) --")
EXIT = re.compile(r"exit ([0-9]+)")
VERSION = re.compile(rb"^curfew [0-9][0-9.]* \(.*\)$", re.M)


class BadCase(Exception):
    """A case file that cannot be read."""


# ---- the notation ----


def is_plain(text):
    """Whether TEXT (bytes) can be written as it is: no control characters, complete lines."""
    if text and not text.endswith(b"\n"):
        return False
    try:
        chars = text.decode()
    except UnicodeDecodeError:
        return False
    if any(unicodedata.category(c).startswith("C") for c in chars if c not in "\n\t"):
        return False
    return not any(MARKER.fullmatch(line) for line in text.split(b"\n"))


def escape_char(char):
    code = ord(char)
    if char in "\n\t" or (0xDC80 > code or code > 0xDCFF) and char != "\\" and not (
            unicodedata.category(char).startswith("C")):
        return char
    if char in "\\\r":
        return {"\\": "\\\\", "\r": "\\r"}[char]
    return "".join(f"\\x{byte:02x}" for byte in char.encode(errors="surrogateescape"))


def escape(text):
    lines = text.decode(errors="surrogateescape").split("\n")
    lines = ["".join(map(escape_char, line)) for line in lines]
    lines = ["\\x2d" + line[1:] if MARKER.fullmatch(line.encode()) else line for line in lines]
    if lines[-1]:
        lines[-1] += "\\\n"
    return "\n".join(lines).encode()


def unescape(text):
    if re.search(rb"(?<!\\)(?:\\\\)*\\\n\Z", text):
        text = text[:-2]
    known = {b"\\\\": b"\\", b"\\r": b"\r"}

    def replace(match):
        code = match.group()
        if code in known:
            return known[code]
        if len(code) == 4:
            return bytes([int(code[2:], 16)])
        raise BadCase("an unknown escape: " + code.decode(errors="replace"))

    return re.sub(rb"\\(?:x[0-9a-f]{2}|.?)", replace, text)


def section(name, text):
    if not text:
        return b""
    if is_plain(text):
        return b"-- %s --\n%s" % (name, text)
    return b"-- %s, escaped --\n%s" % (name, escape(text))


# ---- a case ----


class Case:
    """name, head (the file up to what is expected), command, files, stdout, stderr, status"""

    def __init__(self, path):
        self.name = path.name[: -len(".case")]
        self.path = path
        self.root = path.parent
        self.files = {}  # name: ("text", bytes) | ("copy", path) | ("link", target)
        self.stdout = self.stderr = b""
        self.status = None
        self.command, sections = self.split(path.read_bytes())
        for title, body in sections:
            self.take(title, body)
        if not self.command:
            raise BadCase("no line with a command: $ curfew ...")

    def split(self, text):
        """The command and the sections; what stands before what is expected becomes the head."""
        head, command, sections = [], [], []
        for line in text.split(b"\n")[:-1]:
            marker = MARKER.fullmatch(line)
            if marker:
                sections.append((marker.group(1).decode(), []))
            elif sections:
                sections[-1][1].append(line + b"\n")
            elif line.startswith(b"$ " if not command else b"> "):
                command.append(line[2:])
            elif command or (line and not line.startswith(b"#")):
                raise BadCase("unexpected: " + line.decode(errors="replace"))
            if not sections or not self.is_expectation(sections[-1][0]):
                head.append(line + b"\n")
        if not text.endswith(b"\n"):
            raise BadCase("the last line does not end")
        self.head = b"".join(head)
        return b"\n".join(command), [(title, b"".join(body)) for title, body in sections]

    @staticmethod
    def is_expectation(title):
        return bool(re.fullmatch(r"(stdout|stderr)(, escaped)?", title) or EXIT.fullmatch(title))

    def take(self, title, body):
        exit_code = EXIT.fullmatch(title)
        if self.status is not None:
            raise BadCase(f"'{title}' after the exit code")
        if exit_code:
            self.status = int(exit_code.group(1))
        elif self.is_expectation(title):
            stream, _, escaped = title.partition(", ")
            setattr(self, stream, unescape(body) if escaped else body)
            return
        else:
            self.take_file(title)
            if title in self.files:
                self.files[title] = ("text", body)
                return
        if body:
            raise BadCase(f"text below '{title}'")

    def take_file(self, title):
        for sign, kind in ((" = ", "copy"), (" -> ", "link")):
            name, found, value = title.partition(sign)
            if found:
                break
        else:
            name, kind, value = title, "text", b""
        if name in self.files or name.startswith("/") or ".." in name.split("/"):
            raise BadCase(f"twice, or outside of the folder: {name}")
        self.files[name] = (kind, value)

    def write_files(self, folder, foreign=True):
        for name, (kind, value) in self.files.items():
            if kind == "copy" and not foreign and value.startswith("../"):
                continue
            to = folder / name
            to.parent.mkdir(parents=True, exist_ok=True)
            if kind == "text":
                to.write_bytes(value)
            elif kind == "link":
                to.symlink_to(value)
            elif (self.root / value).is_dir():
                shutil.copytree(self.root / value, to, symlinks=True)
            else:
                shutil.copyfile(self.root / value, to)

    def contents(self, name):
        kind, value = self.files[name]
        if kind == "copy":
            path = self.root / value
            return b"" if path.is_dir() else path.read_bytes()
        return value.encode() if kind == "link" else value

    def complaints(self):
        """Input that is missing, or that neither the command nor another input file names."""
        for name, (kind, value) in self.files.items():
            if kind == "copy" and not (self.root / value).exists():
                yield f"input file {value} is missing"
                return
        for name in self.files:
            texts = [self.command] + [self.contents(n) for n in self.files if n != name]
            parts = name.split("/")
            names = ["/".join(parts[: i + 1]) for i in range(len(parts))]
            if not any(mentions(text, n) for text in texts for n in names):
                yield f"input file {name} is not used"

    def uses(self):
        return [self.root / value for kind, value in self.files.values() if kind == "copy"]

    def run(self, curfew):
        with tempfile.TemporaryDirectory() as work:
            work = Path(work)
            (work / "bin").mkdir()
            (work / "bin/curfew").symlink_to(curfew)
            folder = work / "case"
            folder.mkdir()
            self.write_files(folder)
            env = dict(os.environ, LC_ALL="C", TERM="dumb", PATH=f"{work}/bin:{os.environ['PATH']}")
            env.pop("NO_COLOR", None)
            done = subprocess.run(["sh", "-c", self.command], cwd=folder, env=env, check=False,
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
        return normalise(done.stdout), normalise(done.stderr), done.returncode

    def rewrite(self, stdout, stderr, status):
        self.stdout, self.stderr, self.status = stdout, stderr, status
        self.path.write_bytes(self.head + section(b"stdout", stdout) + section(b"stderr", stderr) +
                              b"-- exit %d --\n" % status)


def mentions(text, name):
    return re.search(rb"(?<![\w.-])" + re.escape(name.encode()) + rb"(?![\w-])", text) is not None


def normalise(text):
    return VERSION.sub(b"curfew VERSION (REVISION)", text)


# ---- all of them ----


def differences(case, stdout, stderr, status):
    if case.status != status:
        yield f"exit code: want {case.status}, got {status}"
    for name, want, got in (("stdout", case.stdout, stdout), ("stderr", case.stderr, stderr)):
        if want != got:
            if not (is_plain(want) and is_plain(got)):
                want, got = escape(want), escape(got)
            yield from difflib.unified_diff(
                want.decode().split("\n"), got.decode().split("\n"), f"{name}, expected", f"{name}, printed",
                lineterm="")


def run_case(path, curfew, update):
    """The complaints about one case, and which files it uses."""
    try:
        case = Case(path)
        complaints = list(case.complaints())
        if complaints:
            return complaints, case.uses()
        result = case.run(curfew)
        if update:
            case.rewrite(*result)
        return list(differences(case, *result)), case.uses()
    except (BadCase, OSError, subprocess.TimeoutExpired) as why:
        return [str(why)], []


def unused_input(root, used):
    """Files below input/ that no case uses, and what is neither a case nor one of ours."""
    for path in sorted((root / "input").rglob("*")):
        if not path.is_dir() and not any(path == u or u in path.parents for u in used):
            yield f"{path.relative_to(root)} is used by no case"
    for path in sorted(root.iterdir()):
        if path.suffix not in (".case", ".py", ".sh") and path.name not in ("input", "__pycache__"):
            yield f"{path.name} is not a case"


def run_all(root, names, curfew, update=False, out=sys.stdout):
    """Prints a line for each case; returns how many passed and failed."""
    paths = [root / f"{name}.case" for name in names] or sorted(root.glob("*.case"))
    passed = failed = 0
    used = []

    def report(name, complaints):
        nonlocal passed, failed
        passed, failed = (passed, failed + 1) if complaints else (passed + 1, failed)
        print(("FAIL " if complaints else "ok   ") + name, *(f"     {c}" for c in complaints),
              sep="\n", file=out)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda path: run_case(path, curfew, update), paths)
        for path, (complaints, uses) in zip(paths, results):
            report(path.name[: -len(".case")], complaints)
            used += uses
    if not names:
        report("all input is used", list(unused_input(root, used)))
    return passed, failed


def main(args):
    root = Path(__file__).resolve().parent
    if args[:1] == ["--extract"]:
        for path in sorted(root.glob("*.case")):
            case = Case(path)
            case.write_files(Path(args[1], case.name), foreign=False)
        return 0
    curfew = Path(os.environ.get("CURFEW", "build/curfew")).resolve()
    if not os.access(curfew, os.X_OK):
        sys.exit(f"{curfew} is not a program: build it first, or set CURFEW")
    sys.stdout.reconfigure(errors="backslashreplace")
    passed, failed = run_all(root, args, curfew, bool(os.environ.get("UPDATE")))
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
