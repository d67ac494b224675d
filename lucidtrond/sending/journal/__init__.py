"""The journal: every payment, its signed bytes, and what became of them.

Plain functions over one transaction; the tables are in `sending.tables`. Only the
recorder and drafting write (`writes`); anybody reads (`queries`).
"""
