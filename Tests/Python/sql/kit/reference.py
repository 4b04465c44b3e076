"""The Python verifier, which is an example for readers and also the tests' knowledge of the formats."""

import importlib.util
import sys
from pathlib import Path

PATH = Path(__file__).resolve().parents[4] / "Examples/python/verify_sql_ledger.py"

_spec = importlib.util.spec_from_file_location("verify_sql_ledger", PATH)
_module = importlib.util.module_from_spec(_spec)
sys.modules["verify_sql_ledger"] = _module
_spec.loader.exec_module(_module)

globals().update({name: value for name, value in vars(_module).items() if not name.startswith("__")})
