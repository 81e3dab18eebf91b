"""Bytes altered as disks, wires and people alter them, and what a refusal looks like."""


def flipped(rng, content):
    for _ in range(rng.integers(1, 20)):
        if content:
            content[rng.integers(len(content))] = rng.integers(256)


def cut(rng, content):
    del content[rng.integers(len(content) + 1) :]


def gone(rng, content):
    start = rng.integers(len(content) + 1)
    del content[start : start + rng.integers(1, 100)]


def put_in(rng, content):
    start = rng.integers(len(content) + 1)
    content[start:start] = rng.bytes(rng.integers(1, 100))


def repeated(rng, content):
    start, stop = sorted(rng.integers(len(content) + 1, size=2))
    content[stop:stop] = content[start:stop]


def overwritten(rng, content):
    """A run of one value, as of a block that was never written."""
    start = rng.integers(len(content) + 1)
    size = min(int(rng.integers(1, 600)), len(content) - start)
    content[start : start + size] = bytes([int(rng.choice([0, 255, 32]))]) * size


def appended(rng, content):
    content += rng.bytes(rng.integers(1, 500))


def at_the_start(rng, content):
    for _ in range(rng.integers(1, 4)):
        if content:
            content[rng.integers(min(16, len(content)))] = rng.integers(256)


def at_the_end(rng, content):
    for _ in range(rng.integers(1, 4)):
        if content:
            content[-rng.integers(1, min(16, len(content)) + 1)] = rng.integers(256)


ALTERATIONS = (flipped, flipped, cut, gone, put_in, repeated, overwritten, appended, at_the_start,
               at_the_end)  # fmt: skip


def altered(rng, content):
    """Another content, after one alteration or two."""
    new = bytearray(content)
    for _ in range(rng.integers(1, 3)):
        ALTERATIONS[rng.integers(len(ALTERATIONS))](rng, new)
    return bytes(new)


def one_sentence(error, *names, longest=1500):
    """A refusal names what it is about, in one line that people can read."""
    message = str(error)
    assert message, f"{type(error).__name__} without a word"
    assert "\n" not in message, f"more than one line: {message[:300]!r}"
    assert len(message) < longest, f"{len(message)} characters: {message[:200]!r}"
    assert not names or any(name in message for name in names), f"no name in {message[:300]!r}"
