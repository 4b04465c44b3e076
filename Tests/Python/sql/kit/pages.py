"""SQLite files as bytes: pages, cells and pointers, for edits that no SQL leaves traces of. Facts from the file format page
of sqlite.org; only what the attacks need."""

import struct
from pathlib import Path


def varint(data, at):
    value = 0
    for count in range(1, 10):
        byte = data[at]
        at += 1
        if count == 9:
            return value << 8 | byte, at
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at
    raise AssertionError


class Pages:
    """The file as one mutable buffer; `save` writes it back."""

    def __init__(self, path):
        self.path = Path(path)
        self.data = bytearray(self.path.read_bytes())
        size = struct.unpack_from(">H", self.data, 16)[0]
        self.size = 65536 if size == 1 else size
        self.usable = self.size - self.data[20]

    def save(self):
        self.path.write_bytes(self.data)

    def base(self, page):
        return (page - 1) * self.size

    def header(self, page):
        return self.base(page) + (100 if page == 1 else 0)

    def kind(self, page):
        return self.data[self.header(page)]

    def pointers(self, page):
        """(offset of the two-byte pointer, offset of the cell) for every cell."""
        header = self.header(page)
        count = struct.unpack_from(">H", self.data, header + 3)[0]
        first = header + (12 if self.kind(page) in (2, 5) else 8)
        return [(first + 2 * at, self.base(page) + struct.unpack_from(">H", self.data, first + 2 * at)[0])
                for at in range(count)]

    def leaves(self, root):
        """Leaf page numbers of a b-tree, in order."""
        if self.kind(root) in (10, 13):
            return [root]
        children = [struct.unpack_from(">I", self.data, cell)[0] for _, cell in self.pointers(root)]
        children.append(struct.unpack_from(">I", self.data, self.header(root) + 8)[0])
        return [leaf for child in children for leaf in self.leaves(child)]

    def cells(self, root):
        """(page, index, rowid or None, offset of the payload, bytes of payload on the page, payload length) of every leaf
        cell."""
        for page in self.leaves(root):
            table = self.kind(page) == 13
            for index, (_, cell) in enumerate(self.pointers(page)):
                length, at = varint(self.data, cell)
                rowid = None
                if table:
                    rowid, at = varint(self.data, at)
                most = self.usable - 35 if table else (self.usable - 12) * 64 // 255 - 23
                local = length
                if length > most:
                    least = (self.usable - 12) * 32 // 255 - 23
                    local = least + (length - least) % (self.usable - 4)
                    local = least if local > most else local
                yield page, index, rowid, at, local, length

    def cell_of(self, root, rowid=None, marker=None):
        for cell in self.cells(root):
            page, index, found, at, local, length = cell
            if found == rowid and rowid is not None or marker is not None and marker in self.data[at : at + local]:
                return cell
        raise LookupError(f"no cell of {rowid or marker}")

    def overflow(self, cell):
        """The page numbers of a cell's overflow chain."""
        _, _, _, at, local, length = cell
        chain = []
        if length > local:
            page = struct.unpack_from(">I", self.data, at + local)[0]
            while page:
                chain.append(page)
                page = struct.unpack_from(">I", self.data, self.base(page))[0]
        return chain

    def places(self, cell):
        """Where each byte of a cell's payload is in the file."""
        _, _, _, at, local, length = cell
        places = [*range(at, at + local)]
        for page in self.overflow(cell):
            places += range(self.base(page) + 4, self.base(page) + self.usable)
        return places[:length]

    def map_entry(self, page):
        """Where the pointer map of an auto-vacuum file tells of a page: its kind, and four bytes of another page."""
        first = (page - 2) // (self.usable // 5 + 1) * (self.usable // 5 + 1) + 2
        assert page > first
        return self.base(first) + 5 * (page - first - 1)

    def remove_cell(self, page, index):
        """Takes a cell's pointer away, as if the row had never been there. Its bytes stay behind."""
        header = self.header(page)
        pointers = self.pointers(page)
        start, end = pointers[index][0], pointers[-1][0] + 2
        self.data[start : end - 2] = self.data[start + 2 : end]
        self.data[end - 2 : end] = b"\0\0"
        struct.pack_into(">H", self.data, header + 3, len(pointers) - 1)

    def replace(self, old, new, count=1):
        """Replaces bytes by as many others, wherever they are in the file."""
        assert len(old) == len(new)
        at = -1
        for _ in range(count):
            at = self.data.index(old, at + 1)
            self.data[at : at + len(old)] = new
        return at
