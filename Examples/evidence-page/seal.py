#!/usr/bin/env python3
"""Writes the hashes of the page's one script and one style sheet into its content security policy.

    python3 Examples/evidence-page/seal.py [--check]      # after every change of verify.html
"""

import base64
import hashlib
import pathlib
import re
import sys

PAGE = pathlib.Path(__file__).parent / "verify.html"


def sealed(html: str) -> str:
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        (body,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.S)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        html, count = re.subn(rf"({directive} 'sha256-)[^']*'", rf"\g<1>{digest}'", html)
        assert count == 1, f"{directive}: found {count} times"
    return html


def main() -> None:
    before = PAGE.read_text(encoding="utf-8")
    after = sealed(before)
    if before == after:
        return
    if sys.argv[1:] == ["--check"]:
        sys.exit(f"error: {PAGE}: the policy does not have the hashes of the script and style; run seal.py")
    PAGE.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()
