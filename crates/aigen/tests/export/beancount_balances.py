"""Loads a Beancount file with Beancount itself and prints each address with its balance in nano-AIGEN."""

import sys

from beancount import loader
from beancount.core import realization

entries, errors, _ = loader.load_file(sys.argv[1])
if errors:
    sys.exit("\n".join(error.message for error in errors))
accounts = {}
for entry in entries:
    if hasattr(entry, "postings"):
        payer, payee = entry.postings
        accounts[entry.meta["from"]] = payer.account
        accounts[entry.meta["to"]] = payee.account
books = realization.realize(entries)
for address, account in accounts.items():
    units = realization.get(books, account).balance.get_currency_units("AIGEN")
    print(address, int(units.number * 10**9))
