"""Drives support/faults.c: faults on command, and taking away what was never made durable."""

import errno
import subprocess
from pathlib import Path


class Faults:
    def __init__(self, working: Path, watched: Path):
        working.mkdir(parents=True, exist_ok=True)
        self.library = working / "faults.so"
        if not self.library.exists():
            source = Path(__file__).with_name("faults.c")
            subprocess.run(
                ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-o", str(self.library), str(source), "-ldl"], check=True)
        self.command = working / "command"
        self.journal = working / "journal"
        self.watched = Path(watched)

    @property
    def environment(self) -> dict:
        return {
            "LD_PRELOAD": str(self.library),
            "INDELIBLE_FAULT_DIRECTORY": str(self.watched),
            "INDELIBLE_FAULT_COMMAND": str(self.command),
            "INDELIBLE_FAULT_JOURNAL": str(self.journal),
        }

    def set(self, operation: str, mode: str = "lost", error: int = errno.EIO, skip: int = 0):
        """`mode`: lost (not done, reported lost), kept (done, reported lost), short (half done, reported lost), or
        killbefore, killafter, killhalf, hold (syncs only, until `clear`). `clock`, `back`: timed waits go on for an hour
        more. Counting of `skip` starts with the process, not with this call."""
        fresh = self.command.with_suffix(".new")
        fresh.write_text(f"{operation} {mode} {error} {skip}\n")
        fresh.rename(self.command)

    def clear(self):
        self.command.unlink(missing_ok=True)

    def syncs(self) -> int:
        """How many syncs of files are done, in a journal of one process."""
        return sum(line.startswith("S\t") for line in self.journal.read_text().splitlines())

    def durable_sizes(self) -> dict[str, int]:
        """For each watched file, under its present name, the size that the last completed sync covered."""
        sizes: dict[str, int] = {}
        if not self.journal.exists():
            return sizes
        for line in self.journal.read_text().splitlines():
            parts = line.split("\t")
            if parts[0] == "S" and len(parts) == 3:
                sizes[parts[2]] = int(parts[1])
            elif parts[0] == "I" and len(parts) == 3 and parts[1] in sizes:
                sizes[parts[2]] = sizes[parts[1]]  # one of the two names, whichever the kill left
            elif parts[0] == "R" and len(parts) == 3 and parts[1] in sizes:
                sizes[parts[2]] = sizes.pop(parts[1])
        return sizes

    def lose_power(self, choose) -> int:
        """Cuts each watched file somewhere between its durable size and its size (`choose(low, high)`), as a machine
        that lost power may. Call while the program is dead. Answers how many bytes were taken."""
        sizes, taken = self.durable_sizes(), 0
        for path in sorted(self.watched.iterdir()):
            if not path.is_file():
                continue
            size = path.stat().st_size
            durable = min(sizes.get(str(path), 0), size)
            if durable < size:
                keep = choose(durable, size)
                with open(path, "r+b") as file:
                    file.truncate(keep)
                taken += size - keep
        return taken
