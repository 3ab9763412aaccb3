"""Words as people type them: French signs are shown behind no-break spaces, which no keyboard has."""


def typed(text: str) -> str:
    """Return a text with ordinary spaces."""
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
