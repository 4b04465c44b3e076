"""Just enough of CCF's chunk layout to damage files with intent (ccf-formats 1.2, 2.1). Never used to judge them."""

import re
import struct
from pathlib import Path

CHUNK = re.compile(r"^ledger_(\d+)(?:-(\d+))?(\.committed)?$")
SIGNATURES = b"public:ccf.internal.signatures"


def chunks(directory: Path) -> list[Path]:
    found = [path for path in Path(directory).iterdir() if CHUNK.match(path.name)]
    return sorted(found, key=lambda path: int(CHUNK.match(path.name).group(1)))


def open_chunk(directory: Path) -> Path | None:
    for path in reversed(chunks(directory)):
        if CHUNK.match(path.name).group(2) is None:
            return path
    return None


def entries(path: Path) -> list[tuple[int, int]]:
    """(offset, length) of each complete entry of a chunk, header included."""
    data = path.read_bytes()
    end = struct.unpack_from("<Q", data, 0)[0] if len(data) >= 8 else 0
    end = end or len(data)
    found, position = [], 8
    while position + 44 <= end:
        length = 8 + int.from_bytes(data[position + 2 : position + 8], "little")
        if data[position] != 1 or length < 44 or position + length > end:
            break
        found.append((position, length))
        position += length
    return found


def end_of_last_signature(path: Path) -> int:
    """Offset just after the last signature transaction of an open chunk; 8 if it has none."""
    data = path.read_bytes()
    end = 8
    for offset, length in entries(path):
        public = struct.unpack_from("<Q", data, offset + 36)[0]
        if SIGNATURES in data[offset + 44 : offset + 44 + public]:
            end = offset + length
    return end


def covered(directory: Path) -> list[tuple[Path, int]]:
    """Each chunk with the offset up to which a later signature covers it (ccf-formats 8.5): whole files, then the one
    with the last signature transaction up to where that begins."""
    files = chunks(directory)
    for index in range(len(files) - 1, -1, -1):
        data = files[index].read_bytes()
        for offset, _ in reversed(entries(files[index])):
            public = struct.unpack_from("<Q", data, offset + 36)[0]
            if SIGNATURES in data[offset + 44 : offset + 44 + public]:
                return [(path, path.stat().st_size) for path in files[:index]] + [(files[index], offset)]
    return []


def flip(path: Path, offset: int, mask: int = 1):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ mask]))
