"""The few words that the adapter says by itself, in the language of the installation."""

UNREADABLE = {
    "fr": (
        "Un message de ce salon est resté illisible pour moi : sa clé de chiffrement ne m'est pas parvenue. "
        "Merci de l'envoyer à nouveau."
    ),
    "en": "I could not read a message in this room: its encryption key did not reach me. Please send it again.",
}

UNSIGNED = {
    "fr": (
        "Je ne peux pas donner suite à ce message : il vient d'une session que son propriétaire n'a pas vérifiée. "
        "Dans Element ou Tchap : Paramètres, Sessions (ou Chiffrement), vérifiez cette session, puis renvoyez-le."
    ),
    "en": (
        "I cannot act on this message: it comes from a session that its owner has not verified. In Element: Settings, "
        "Sessions (or Encryption), verify this session, then send it again."
    ),
}

RESET = {
    "fr": (
        "Je ne peux pas donner suite à ce message : l'identité chiffrée de votre compte a changé. "
        "Une personne qui administre Passerelle doit d'abord la confirmer."
    ),
    "en": (
        "I cannot act on this message: the cryptographic identity of your account has changed. "
        "An administrator of Passerelle must confirm it first."
    ),
}


def words(notice: dict[str, str], language: str) -> str:
    """Return a notice, in French where the language has none."""
    return notice.get(language, notice["fr"])
