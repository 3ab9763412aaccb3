"""What a question and an answer may hold: some words, and not too many."""

from bot.errors import UserError

QUESTION = 10_000  # characters: a longer text belongs in a document
ANSWER = 20_000


def question(text: str) -> str:
    """Return a question's text without what cannot be seen. Raises UserError when nothing is left, or too much."""
    clean = "".join(c for c in text if c in "\n\t" or c.isprintable() or c == "\u200d").strip()
    if not any(c.isalnum() for c in clean):
        raise UserError("question.empty")
    if len(clean) > QUESTION:
        raise UserError("question.too_long", limit=QUESTION, length=len(clean))
    return clean


def answer(text: str) -> str:
    """Return an answer's text as it is. Raises UserError when it is too long."""
    if len(text) > ANSWER:
        raise UserError("answer.too_long", limit=ANSWER, length=len(text))
    return text
