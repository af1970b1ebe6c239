"""What shows, asks and checks: drawing, widgets, exercises and the ledger, on top of the library."""
