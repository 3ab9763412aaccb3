"""Questions: what is asked, to whom it went, who has it, and what was answered."""
