# SPDX-License-Identifier: Apache-2.0
"""selftest.py - proof that the golden runner can fail: each check with something wrong planted."""

import io
import sys
import tempfile
from pathlib import Path

import golden

# It prints to both streams what no case would take as it is, and fails.
GOOD = rb"""# Odd bytes.
$ cat a.txt folder/b.txt link &&
> printf 'a\\b\r\n\033[0m\377-- x --' && echo 'went wrong' >&2; exit 3
-- a.txt --
one
-- folder/b.txt = input/two.txt --
-- link -> a.txt --
-- stdout, escaped --
one
two
one
a\\b\r
\x1b[0m\xff-- x --\
-- stderr --
went wrong
-- exit 3 --
"""

passed = failed = 0


def suite(text, update=False, extra=None):
    """The output of the runner for a folder with this one case, and the case afterwards."""
    out = io.StringIO()
    with tempfile.TemporaryDirectory() as root:
        root = Path(root)
        (root / "input").mkdir()
        (root / "input/two.txt").write_text("two\n")
        if extra:
            (root / extra).write_text("extra\n")
        (root / "it.case").write_bytes(text)
        golden.run_all(root, [], "/bin/false", update, out)
        return out.getvalue(), (root / "it.case").read_bytes()


def check(name, good, why):
    global passed, failed
    passed, failed = (passed + 1, failed) if good else (passed, failed + 1)
    print(("ok   " if good else "FAIL ") + name)
    if not good:
        print("     " + str(why).replace("\n", "\n     "))


def catches(name, want, old=b"", new=b"", extra=None):
    """The case with OLD replaced by NEW fails, and the reason contains WANT."""
    changed = GOOD.replace(old, new, 1)
    output, _ = suite(changed, extra=extra)
    check("the runner catches " + name,
          (extra or changed != GOOD) and "FAIL " in output and want in output, output)


output, after = suite(GOOD)
check("a good case passes", output == "ok   it\nok   all input is used\n", output)
catches("a wrong line of stdout", "-two!", b"two\none", b"two!\none")
catches("a wrong byte of stdout", "-\\x1b[1m", rb"\x1b[0m\xff-- x --\ "[:-1], rb"\x1b[1m\xff-- x --\ "[:-1])
catches("a last line that ends", "+\\x1b[0m\\xff-- x --\\", b"-- x --\\\n-- stderr", b"-- x --\n-- stderr")
catches("stdout that is not expected", "stdout, printed", GOOD[GOOD.index(b"-- stdout"):GOOD.index(b"-- stderr")])
catches("a wrong line of stderr", "-went well", b"--\nwent wrong", b"--\nwent well")
catches("stderr that is not expected", "+went wrong", b"-- stderr --\nwent wrong\n")
catches("a wrong exit code", "exit code: want 0, got 3", b"-- exit 3 --", b"-- exit 0 --")
catches("a missing exit code", "exit code: want None, got 3", b"-- exit 3 --\n")
catches("an input file that is missing", "input/three.txt is missing", b"input/two.txt", b"input/three.txt")
catches("an input file that the command does not use", "more.txt is not used",
        b"-- a.txt --", b"-- more.txt --\nmore\n-- a.txt --")
catches("a file below input/ that no case uses", "input/four.txt is used by no case", extra="input/four.txt")
catches("a file that is not a case", "it.cse is not a case", extra="it.cse")
catches("a case without a command", "no line with a command", GOOD[:GOOD.index(b"-- a.txt")])
catches("a line that is out of place", "unexpected: oops", b"# Odd", b"oops\n# Odd")

wrong = GOOD.replace(b"\ntwo\n", b"\n2\n").replace(b"-- exit 3", b"-- exit 1").replace(b"went wrong\n--", b"--")
output, after = suite(wrong, update=True)
check("UPDATE=1 writes the case as it was", wrong != GOOD and after == GOOD, after.decode())
for odd in (b"a\\", b"\\\\\n", b"\r\n", b"-- stdout --\n", b"\x00\xff", "\u202e\u00e9\n".encode(), b"\n", b"a"):
    written = golden.escape(odd)
    check(f"{odd} is written unambiguously",
          golden.unescape(written) == odd and golden.is_plain(written), written)

print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
