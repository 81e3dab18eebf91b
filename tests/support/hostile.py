"""Texts that have broken programs."""

LONG = 10**5
FIXED = [
    "", " ", "\t", "\n", "\r\n", "\x00", "a\x00b", "\x1b[2J\x1b]0;x\x07", "\x7f", "\u202egnp.exe",
    "\ufeff", "\u2028", "\udcff", "e\u0301" * 50, "\N{GRINNING FACE}", "İ", "ß", "ﷺ" * 100,
    "[bold]", "[/]", "[link=x]", "%s%n", "{}", "{0.__class__}", "{x!r:>9999}", "$HOME", "~", "..",
    "../..", "/", "/dev/null", "/dev/full", "/proc/self/mem", "-", "--", "-1", "--help", "@x", "*",
    "CON", "a/b", "a\\b", "http://x/y.csv", "file:///etc/passwd", "=1+1", "'", '"', '""', "`", ";",
    ",", "|", "&&", "<script>", "nan", "inf", "-inf", "1e400", "-0", "0x1F", "1_000", "1e", "+",
    "e", "None", "NULL", "True", "0", "1", "-1.5", "9" * 400, "9999-12-31", "0000-00-00",
    "24:60:61", "2020-02-30", "auto", "target", "prediction", "age", "AGE", "age ", "buys",
    "__class__", "self",
]  # fmt: skip
LONG_PIECES = ["9", "9.", "9,", "1e", "2020-", "1:", "-", "(", "[", "{", '"', "a", " ", "\t", "\n",
               "é", "ab ", "$", "%", "0x", "T", "\\", "\x00", ".", "_9", "'"]  # fmt: skip


def hostile(rng, longest=LONG):
    """One of them, several together, or one piece very often."""
    how = rng.random()
    if how < 0.6:
        return FIXED[rng.integers(len(FIXED))]
    if how < 0.75:
        return "".join(FIXED[i] for i in rng.integers(len(FIXED), size=3))
    if how < 0.9:
        piece = LONG_PIECES[rng.integers(len(LONG_PIECES))]
        size = int(10 ** rng.uniform(1, 1 + 4 * (longest > 10**4)))
        return piece * (size // len(piece)) + str(rng.choice(["", "a", "1", "!"]))
    points = rng.choice([0x80, 0x800, 0xD800, 0x110000]).astype(int)
    drawn = rng.integers(1, points, size=rng.integers(1, 30))
    return "".join(chr(point) for point in drawn)
