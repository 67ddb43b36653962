"""Changes that know what a file is made of: chunks, segments, tags, entries, and headers."""

import io
import json
import random as randoms
import struct
import zipfile
import zlib
from collections.abc import Callable

from tests.corpus.nasty import SIGNATURE, chunk

Random = randoms.Random
Change = Callable[[bytes, Random], bytes]

_CHUNKS = (
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT",
    b"bKGD", b"hIST", b"pHYs", b"sPLT", b"tIME", b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"cICP",
    b"mDCV", b"cLLI", b"acTL", b"fcTL", b"fdAT", b"oFFs", b"abcd", b"ABCD",
)  # fmt: skip
_TAGS = (
    256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 282, 283, 284, 296, 297, 301, 317, 320,
    322, 323, 324, 325, 330, 338, 339, 340, 341, 347, 513, 514, 530, 532, 700, 33432, 33550, 33922,
    34377, 34665, 34675, 34735, 34853, 42112, 42113, 50844, 65535,
)  # fmt: skip
_NUMBERS = (0, 1, 2, 3, 4, 5, 7, 8, 16, 32, 255, 256, 32767, 65535, 2**31 - 1, 2**31, 2**32 - 1)
_DESCRIPTIONS = (
    "'|u1'", "'<f8'", "'>f4'", "'<f2'", "'<i8'", "'>u2'", "'|b1'", "'|O'", "'<U3'", "'|S2'",
    "'<M8[s]'", "'|V4'", "'<c16'", "'<f16'", "[('a', '<f4')]", "7", "None", "''", "'x'",
)  # fmt: skip
_SHAPES = (
    "()", "(0,)", "(5,)", "(5, 6)", "(6, 5)", "(5, 6, 3)", "(9, 8, 8)", "(9, 8, 8, 1)", "(0, 8, 8)",
    "(9, 0, 8)", "(1, 1, 1, 1, 1)", "(-5, -6)", "(4294967296, 4294967296)", "(99999999999999999,)",
    "(5.0, 6)", "None", "5", "('a', 6)",
)  # fmt: skip


def aware(content: bytes, random: Random) -> bytes:
    """A file with something wrong in what it is made of; as it is, if that is not known here."""
    for start, change in _BY_START.items():
        if content.startswith(start):
            return change(content, random)
    return content


def _noise(random: Random) -> bytes:
    return random.choice((b"", b"\0", b"\xff" * 4, random.randbytes(random.choice((2, 9, 26, 99)))))


def _shuffled(parts: list[bytes], new: bytes, random: Random) -> list[bytes]:
    """Parts of which one is gone, twice there, elsewhere or joined by a new one."""
    at = random.randrange(len(parts))
    action = random.randrange(5)
    if action == 0:
        del parts[at]
    elif action == 1:
        parts.insert(random.randrange(len(parts) + 1), parts[at])
    elif action == 2:
        parts.insert(random.randrange(len(parts) + 1), parts.pop(at))
    else:
        parts.insert(random.choice((0, 1, at)), new)
    return parts


def _chunks(content: bytes, random: Random) -> bytes:
    """A PNG file with other chunks, their checksums right."""
    parts, at = [], len(SIGNATURE)
    while at + 12 <= len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        parts.append((content[at + 4 : at + 8], content[at + 8 : end - 4]))
        at = end
    if not parts:
        return content
    if random.random() < 0.4:
        number = random.randrange(len(parts))
        kind, inside = parts[number]
        inside = _patched(inside, random) if kind != b"IDAT" else _packed_anew(inside, random)
        parts[number] = kind, inside
    whole = [chunk(*part) for part in parts]
    if random.random() < 0.7:
        whole = _shuffled(whole, chunk(random.choice(_CHUNKS), _noise(random)), random)
    return SIGNATURE + b"".join(whole)


def _patched(content: bytes, random: Random) -> bytes:
    """Bytes with a number in them that is another."""
    changed, layout = bytearray(content), random.choice(("B", "<H", ">H", "<I", ">I"))
    size = struct.calcsize(layout)
    if len(changed) >= size:
        at = random.randrange(len(changed) - size + 1)
        packed = struct.pack(layout, random.choice(_NUMBERS) % 256**size)
        changed[at : at + size] = packed
    return bytes(changed)


def _packed_anew(content: bytes, random: Random) -> bytes:
    """Pixels of a PNG file that are others, fewer or more, packed well."""
    try:
        rows = zlib.decompress(content)
    except zlib.error:
        return _patched(content, random)
    rows = random.choice((_patched(rows, random), rows[: len(rows) // 2], rows * 3, b""))
    return zlib.compress(rows)


def _segments(content: bytes, random: Random) -> bytes:
    """A JPEG file with other segments before its pixels."""
    parts, at = [], 2
    while at + 4 <= len(content) and content[at] == 0xFF and content[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        parts.append(content[at:end])
        at = end
    rest = content[at:]
    if parts and random.random() < 0.5:
        number = random.randrange(len(parts))
        parts[number] = parts[number][:4] + _patched(parts[number][4:], random)
    inside = random.choice((b"Exif\0\0", b"ICC_PROFILE\0", b"Adobe", b"JFIF\0", b"")) + _noise(
        random
    )
    marker = random.choice((0xC0, 0xC2, 0xC4, 0xDB, 0xDD, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE))
    new = bytes((0xFF, marker)) + struct.pack(">H", len(inside) + 2) + inside
    return content[:2] + b"".join(_shuffled([*parts, b""], new, random)) + rest


def _tags(content: bytes, random: Random) -> bytes:
    """A TIFF file with other tags, types, counts and values in its first directory."""
    order = "<" if content[:1] == b"I" else ">"
    changed = bytearray(content)
    (first,) = struct.unpack_from(f"{order}I", changed, 4)
    if first + 2 > len(changed):
        return content
    (count,) = struct.unpack_from(f"{order}H", changed, first)
    for _ in range(random.randint(1, 3)):
        at = first + 2 + 12 * random.randrange(max(1, count))
        field, layout, numbers = random.choice(
            ((0, "H", _TAGS), (2, "H", range(20)), (4, "I", _NUMBERS), (8, "I", _NUMBERS))
        )
        if at + 12 <= len(changed):
            struct.pack_into(order + layout, changed, at + field, random.choice(numbers))
    return bytes(changed)


def _array(content: bytes, random: Random) -> bytes:
    """A .npy file whose header says something else."""
    version = random.choice((b"\1\0", b"\1\0", b"\1\0", b"\2\0", b"\3\0", b"\x09\0"))
    order = random.choice(("True", "False", "False", "0", "None"))
    pairs = [
        f"'descr': {random.choice(_DESCRIPTIONS)}",
        f"'fortran_order': {order}",
        f"'shape': {random.choice(_SHAPES)}",
    ]
    if random.random() < 0.1:
        pairs = _texts(pairs, random)
    header = f"{{{', '.join(pairs)}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    size = struct.pack("<H" if version == b"\1\0" else "<I", len(header))
    data = content[10 + int.from_bytes(content[8:10], "little") :]
    return b"\x93NUMPY" + version + size + header + data


def _texts(pairs: list[str], random: Random) -> list[str]:
    return [*pairs[1:], random.choice(("'x': 1", "1", "**{}", "'shape': ()", "__import__('os')"))]


def _entries(content: bytes, random: Random) -> bytes:
    """A zip whose entries have other names, contents or ways to be packed."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except Exception:
        return content
    number = random.randrange(len(entries))
    name, inside = entries[number]
    names = (
        "../../x.png", "/x.png", "a/../../b.npy", "x" * 300, "\0.png", "__MACOSX/._a.png", "d/",
        "file.npy", "allow_pickle.npy", "args.npy", "", "é\u202e.png", "C:\\x.png",
    )  # fmt: skip
    if random.random() < 0.5:
        entries[number] = random.choice((random.choice(names), name)), aware(inside, random)
    else:
        entries.append((random.choice(names), random.choice((b"", inside))))
    result = io.BytesIO()
    ways = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    with zipfile.ZipFile(result, "w") as archive:
        for name, inside in entries:
            info = zipfile.ZipInfo(name or "x")
            info.compress_type = random.choice(ways)
            archive.writestr(info, inside)
    made = bytearray(result.getvalue())
    if random.random() < 0.3:  # what only the headers say: sizes, flags, methods
        at = made.rfind(b"PK\1\2")
        struct.pack_into("<H", made, at + random.choice((8, 10)), random.choice(_NUMBERS) % 65536)
    if random.random() < 0.3:
        struct.pack_into("<I", made, made.rfind(b"PK\1\2") + 24, random.choice(_NUMBERS))
    return bytes(made)


_BY_START: dict[bytes, Change] = {
    SIGNATURE: _chunks,
    b"\xff\xd8": _segments,
    b"II*\0": _tags,
    b"MM\0*": _tags,
    b"\x93NUMPY": _array,
    b"PK": _entries,
}


def said_otherwise(
    content: bytes, random: Random, change: Callable[[object, Random], None]
) -> bytes:
    """A result that says something else of itself.

    Args:
        content: A PNG file of npfill's.
        random: What is drawn from.
        change: Changes one value somewhere in JSON.
    """
    parts, at = [], len(SIGNATURE)
    while at + 12 <= len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        kind, inside = content[at + 4 : at + 8], content[at + 8 : end - 4]
        at = end
        key, _, value = inside.partition(b"\0")
        if kind == b"tEXt" and key.startswith(b"npfill"):
            if key == b"npfill_options" and random.random() < 0.7:
                options = json.loads(value)
                for _ in range(random.randint(1, 2)):
                    change(options, random)
                value = json.dumps(options).encode()
            elif random.random() < 0.15:
                value = random.choice(
                    (b"", b"1", b"99999999999", b"../../x", b"[", b"\xff", b"mean")
                )
            elif random.random() < 0.05:
                continue
            inside = key + b"\0" + value
        parts.append(chunk(kind, inside))
    return SIGNATURE + b"".join(parts)
