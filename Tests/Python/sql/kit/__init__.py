"""Helpers of the SQL ledger's tests. Nothing here shares code with the product."""
