"""The agenda: what crosses the border when, who comes, and calendars in and out."""
