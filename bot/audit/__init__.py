"""The audit log: who did what, when; only ever added to, and chained so that a change, a gap or a new order shows."""
