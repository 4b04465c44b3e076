"""A small model of the service: what every call must answer (Documentation/API.md, Documentation/Roles.md).

It knows entries, users and roles, and nothing of files, indexes or sockets. All its names are compared as the bytes they
are, as a ledger must.
"""

import dataclasses

DEFAULT = "subledger:0"
BUILT_IN = {
    "Reader": {"transactions/read", "collections/read", "governance/read", "enclaveQuotes/read"},
    "Contributor": {
        "transactions/read", "transactions/write", "collections/read", "governance/read", "enclaveQuotes/read"},
}
PATHS = {
    "transactions/read": ["/transactions/get"],
    "transactions/write": ["/transactions/post"],
    "collections/read": ["/collections/get"],
    "users/read": ["/users/get", "/ledgerUsers/get"],
    "users/write": ["/users/patch", "/ledgerUsers/patch"],
    "users/delete": ["/users/delete", "/ledgerUsers/delete"],
    "roles/read": ["/roles/get"],
    "roles/write": ["/roles/put", "/roles/patch"],
    "roles/delete": ["/roles/delete"],
    "governance/read": ["/governance/get"],
    "enclaveQuotes/read": ["/enclaveQuotes/get"],
}
BUILT_IN["Administrator"] = set(PATHS)


def built_in(name: str) -> str | None:
    return next((role for role in BUILT_IN if role.lower() == name.lower()), None)


def covers(entry: str, action: str) -> bool:
    """Whether one entry of a custom role's list allows an action."""
    names = ["Microsoft.ConfidentialLedger/ledger/" + action]
    for path in PATHS[action]:
        names += [path, "/app" + path]
    if entry.endswith("/*"):
        return any(name.startswith(entry[:-1]) for name in names)
    return entry == "*" or entry in names


def sequence(transaction: str) -> int:
    return int(transaction.split(".")[1])


@dataclasses.dataclass
class Entry:
    id: str
    collection: str
    contents: str
    tags: list
    author: str
    time: int | None = None  # microseconds; learnt from the first answer that shows the entry

    @property
    def seqno(self) -> int:
        return sequence(self.id)


class Model:
    def __init__(self, administrator: str):
        self.entries: list[Entry] = []
        self.users = {administrator: ["Administrator"]}
        self.roles: dict[str, list[str]] = {}
        self.requests: dict[tuple, str] = {}  # (author, request id, collection, tags, contents): the first result
        self.view, self.last = 2, 1
        self.others: list[str] = []  # ids of transactions that are no entries

    # Rights

    def allowed(self, user: str | None, action: str) -> bool:
        for role in self.users.get(user, []):
            if role in BUILT_IN:
                if action in BUILT_IN[role]:
                    return True
            elif any(covers(item, action) for item in self.roles[role]):
                return True
        return False

    def lacks(self, user: str, actions: set) -> bool:
        return any(not self.allowed(user, action) for action in actions)

    def actions(self, role: str) -> set:
        name = built_in(role)
        if name:
            return BUILT_IN[name]
        return {action for action in PATHS if any(covers(item, action) for item in self.roles.get(role, []))}

    def is_last_administrator(self, user: str) -> bool:
        holders = [name for name, roles in self.users.items() if "Administrator" in roles]
        return holders == [user]

    # Changes: each answers with the status that is due, and makes the change when that is a success

    def set_user(self, caller: str, user: str, roles: list[str]) -> tuple[int, str]:
        if any(self.lacks(caller, self.actions(role)) for role in roles):
            return 403, "NotAllowed"
        known = []
        for role in roles:
            name = built_in(role) or role
            if name not in BUILT_IN and name not in self.roles:
                return 404, "RoleNotFound"
            if name not in known:
                known.append(name)
        if "Administrator" not in known and self.is_last_administrator(user):
            return 409, "LastAdministrator"
        self.users[user] = known
        return 200, ""

    def remove_user(self, user: str) -> tuple[int, str]:
        if self.is_last_administrator(user):
            return 409, "LastAdministrator"
        self.users.pop(user, None)
        return 204, ""

    def set_roles(self, caller: str, roles: list[tuple], create: bool) -> tuple[int, str]:
        for _, actions in roles:
            given = {action for action in PATHS if any(covers(item, action) for item in actions)}
            if self.lacks(caller, given):
                return 403, "NotAllowed"
        for name, _ in roles:
            if built_in(name) or (create and name in self.roles):
                return 409, "RoleAlreadyExists"
            if not create and name not in self.roles:
                return 404, "RoleNotFound"
        self.roles.update({name: list(actions) for name, actions in roles})
        return 200, ""

    def remove_role(self, name: str) -> tuple[int, str]:
        if built_in(name):
            return 409, "RoleInUse"
        if name not in self.roles:
            return 404, "RoleNotFound"
        if any(name in roles for roles in self.users.values()):
            return 409, "RoleInUse"
        del self.roles[name]
        return 200, ""

    def assigned(self, user: str) -> str:
        roles = self.users[user]
        for name in ("Administrator", "Contributor", "Reader"):
            if name in roles:
                return name
        return roles[0]

    def added(self, entry: Entry):
        self.view = max(self.view, int(entry.id.split(".")[0]))
        self.entries.append(entry)
        self.entries.sort(key=lambda item: item.seqno)

    # Questions

    def find(self, transaction: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.id == transaction), None)

    def current(self, collection: str) -> Entry | None:
        return next((entry for entry in reversed(self.entries) if entry.collection == collection), None)

    def range(self, collection=DEFAULT, low=None, high=None, tag=None, author=None, start=None, end=None) -> list[Entry]:
        """Inclusive bounds: sequence numbers and microseconds."""
        return [
            entry for entry in self.entries
            if entry.collection == collection
            and (low is None or entry.seqno >= low) and (high is None or entry.seqno <= high)
            and (tag is None or tag in entry.tags) and (author is None or entry.author == author)
            and (start is None or entry.time >= start) and (end is None or entry.time <= end)
        ]

    def collections(self) -> list[str]:
        return sorted({entry.collection for entry in self.entries}, key=str.encode)

    def tags(self, collection=None) -> list[str]:
        chosen = [entry for entry in self.entries if collection is None or entry.collection == collection]
        return sorted({tag for entry in chosen for tag in entry.tags}, key=str.encode)
