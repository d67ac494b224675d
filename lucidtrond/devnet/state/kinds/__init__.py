"""The kinds of contracts: each is declared once, in the module of its family."""
