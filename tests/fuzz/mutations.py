"""Changes to the bytes of a file: blind ones, and ones that know what the file is made of."""

import json
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import PurePath
from random import Random
from typing import Any

from tests.corpus.nasty import SIGNATURE
from tests.fuzz.structures import aware, said_otherwise

_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_VALUES: tuple[Any, ...] = (
    0, 1, -1, 7, 2**31, 2**63, 10**30, 0.0, -0.5, 1e308, 5e-324, float("nan"), float("inf"), None,
    True, "", "x" * 500, "\0", "a\nb", "é\u202e", "../../x", [], {}, [[]], [-1, 0], [3] * 40,
    {"a": 1}, "cnp", "anp", "convcnp", "log", "linear", "basis", "local", "raw",
)  # fmt: skip


def mutated(name: str, content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """A file's content with something wrong in it.

    Args:
        name: The file's name; its suffix says what it is made of.
        content: What is changed.
        others: Files of the same kind, parts of which get in.
        random: What is drawn from.
    """
    of_suffix = {
        ".safetensors": _with_other_header,
        ".toml": _with_other_lines,
        ".json": _with_other_values,
        ".jsonl": _with_other_values,
    }
    if random.random() < 0.6:
        if b"npfill_options" in content:
            return said_otherwise(content, random, _change)
        change = of_suffix.get(PurePath(name).suffix, aware)
        if (changed := change(content, random)) != content:
            return changed
    blind = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 4))):
        blind = random.choice(_BLIND)(blind, others, random)
    result = bytes(blind)
    if result.startswith(SIGNATURE) and random.random() < 0.7:
        return _with_right_checksums(result)
    return result


def _flip(content: bytearray, _: Sequence[bytes], random: Random) -> bytearray:
    if content:
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    return content


def _number(content: bytearray, _: Sequence[bytes], random: Random) -> bytearray:
    layout = random.choice(("B", "<H", ">H", "<I", ">I"))
    packed = struct.pack(layout, random.choice(_NUMBERS) % 256 ** struct.calcsize(layout))
    at = random.randrange(len(content) + 1)
    content[at : at + len(packed)] = packed
    return content


def _cut(content: bytearray, _: Sequence[bytes], random: Random) -> bytearray:
    return content[: random.randrange(len(content) + 1)]


def _without(content: bytearray, _: Sequence[bytes], random: Random) -> bytearray:
    at = random.randrange(len(content) + 1)
    del content[at : at + random.choice((1, 4, 12, 100))]
    return content


def _twice(content: bytearray, _: Sequence[bytes], random: Random) -> bytearray:
    at = random.randrange(len(content) + 1)
    part = content[at : at + random.choice((1, 4, 12, 100))]
    return content[:at] + part * random.choice((1, 2, 50)) + content[at:]


def _spliced(content: bytearray, others: Sequence[bytes], random: Random) -> bytearray:
    other = random.choice(others)
    return content[: random.randrange(len(content) + 1)] + other[random.randrange(len(other) + 1) :]


_Blind = Callable[[bytearray, Sequence[bytes], Random], bytearray]
_BLIND: tuple[_Blind, ...] = (_flip, _flip, _number, _number, _without, _twice, _cut, _spliced)


def _with_right_checksums(content: bytes) -> bytes:
    """A PNG file as it is, but for the checksums of its chunks: decoders look at its contents."""
    result, at = content[:8], 8
    while at + 8 <= len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4], "big")
        part = content[at : min(end, len(content))]
        result += part + struct.pack(">I", zlib.crc32(part[4:]))
        at = end + 4
    return result


def _with_other_header(content: bytes, random: Random) -> bytes:
    """A safetensors file with other values in its header, or in what npfill says there."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    about = json.loads(header["__metadata__"]["npfill"])
    for _ in range(random.randint(1, 3)):
        _change(random.choice((header, about, about)), random)
    if isinstance(metadata := header.get("__metadata__"), dict) and "npfill" in metadata:
        metadata["npfill"] = json.dumps(about)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content[end:]


def _with_other_values(content: bytes, random: Random) -> bytes:
    """A file of lines of JSON with other values in one."""
    lines = content.decode().splitlines() if content.startswith(b'{"') else [content.decode()]
    at = random.randrange(len(lines))
    value = json.loads(lines[at])
    for _ in range(random.randint(1, 3)):
        _change(value, random)
    lines[at] = json.dumps(value)
    return "\n".join(lines).encode()


def _change(tree: Any, random: Random) -> None:
    """One value somewhere in JSON becomes another, goes, or is joined by one of another name."""
    while True:
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        if not keys:
            return
        key = random.choice(keys)
        inner = tree[key]
        if isinstance(inner, dict | list) and inner and random.random() < 0.7:
            tree = inner
            continue
        action = random.randrange(4)
        if action == 0:
            del tree[key]
        elif action == 1 and isinstance(tree, dict):
            tree[random.choice(("extra", "", "format", "shape", "config"))] = inner
        else:
            tree[key] = random.choice(_VALUES)
        return


def _with_other_lines(content: bytes, random: Random) -> bytes:
    """A TOML file with lines that say something else, are gone, or stand elsewhere."""
    lines = content.decode().splitlines()
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(lines))
        key, equals, _value = lines[at].partition("=")
        action = random.randrange(5)
        if action == 0:
            lines.insert(random.randrange(len(lines)), lines.pop(at))
        elif action == 1:
            lines[at] = random.choice(("", "[extra]", "[[run]]", "run = 3", '"a.b" = {}', "\0"))
        elif equals:
            lines[at] = f"{key}= {_toml(random.choice(_VALUES))}"
    return "\n".join(lines).encode()


def _toml(value: Any) -> str:
    """A value as TOML writes it, more or less."""
    text = json.dumps(value).replace("NaN", "nan").replace("Infinity", "inf")
    return text.replace("null", "1979-05-27")
